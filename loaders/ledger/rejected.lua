-- ARGV: scope, gap field. The graph refused a row of this scope: its node stays as it was, and the coverage reports it.
even_if_full()
if running() and redis.call('SISMEMBER', run .. ':units', ARGV[1]) == 1 then add_gap(ARGV[1], ARGV[2], 1) end
return {'ok'}
