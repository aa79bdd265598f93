-- ARGV: scope, reason. The writer rejected rows of this scope: it counts as failed, so that none of its data is deleted.
even_if_full()
if running() and redis.call('SISMEMBER', run .. ':units', ARGV[1]) == 1 then spoil(ARGV[1], 'failed', ARGV[2]) end
return {'ok'}
