-- ARGV: scope, reason. The writer kept rows of this scope aside: it counts as failed, so that nothing of it is deleted.
if running() and redis.call('SISMEMBER', run .. ':units', ARGV[1]) == 1 then spoil(ARGV[1], 'failed', ARGV[2]) end
return {'ok'}
