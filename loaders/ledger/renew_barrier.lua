-- ARGV: token, lease ms. With lease 0 the barrier is given back at once.
if redis.call('HGET', run, 'state') ~= 'analysing' or redis.call('HGET', run, 'barrier_token') ~= ARGV[1] then return 0 end
redis.call('HSET', run, 'barrier_lease_ms', now_ms() + ARGV[2])
return 1
