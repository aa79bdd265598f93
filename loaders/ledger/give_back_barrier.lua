-- ARGV: token, wait ms, 1 if the attempt doesn't count. Another attempt at the analysis may begin after that time.
if run_state() ~= 'analysing' or redis.call('HGET', run, 'barrier_token') ~= ARGV[1] then return 0 end
even_if_full()
redis.call('HSET', run, 'barrier_lease_ms', now_ms() + ARGV[2])
if ARGV[3] == '1' then redis.call('HINCRBY', run, 'analyses', -1) end
return 1
