-- ARGV: token, step, failures to add. What the holder of the barrier does, and how often that failed. Returns the failures.
if run_state() ~= 'analysing' or redis.call('HGET', run, 'barrier_token') ~= ARGV[1] then return 0 end
even_if_full()
redis.call('HSET', run, 'barrier_step', ARGV[2])
if ARGV[3] == '0' then redis.call('HDEL', run, 'blocked_by') end
return redis.call('HINCRBY', run .. ':step_failures', ARGV[2], ARGV[3])
