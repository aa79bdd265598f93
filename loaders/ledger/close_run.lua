-- ARGV: token, state, report (JSON). Ends an analysed run. Only the holder of the barrier may.
even_if_full()
local held = redis.call('HMGET', run, 'state', 'barrier_token')
if held[2] ~= ARGV[1] then return 0 end
if held[1] == ARGV[2] then return 1 end
if held[1] ~= 'analysing' then return 0 end
redis.call('HSET', run, 'state', ARGV[2], 'report', ARGV[3], 'finished_ms', now_ms())
redis.call('HDEL', run, 'blocked_by', 'barrier_step')
redis.call('UNLINK', run .. ':held', run .. ':failing')
return 1
