-- ARGV: token, lease ms. A lease of 0 releases the barrier at once.
even_if_full()
if run_state() ~= 'analysing' or redis.call('HGET', run, 'barrier_token') ~= ARGV[1] then return 0 end
redis.call('HSET', run, 'barrier_lease_ms', now_ms() + ARGV[2])
return 1
