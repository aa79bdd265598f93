-- ARGV: token, lease ms. Opens the barrier for one caller. Another caller gets it only once that lease has run out.
even_if_full()
local state = run_state()
if state == 'running' then
  if redis.call('HGET', run, 'open') ~= '0' then return 'not settled' end
  redis.call('HSET', run, 'state', 'analysing', 'barrier_ms', now_ms())
elseif state ~= 'analysing' then
  return state or 'unknown'
elseif redis.call('HGET', run, 'barrier_token') ~= ARGV[1]
    and tonumber(redis.call('HGET', run, 'barrier_lease_ms') or 0) > now_ms() then
  return 'leased'
end
if redis.call('HGET', run, 'barrier_token') ~= ARGV[1] then redis.call('HINCRBY', run, 'analyses', 1) end
redis.call('HSET', run, 'barrier_token', ARGV[1], 'barrier_lease_ms', now_ms() + ARGV[2])
return 'open'
