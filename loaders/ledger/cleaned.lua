-- ARGV: scope, its receipt, ... Each scope counts once.
local events, counted = {'ok'}, false
even_if_full()
if not running() then return events end
for i = 1, #ARGV, 2 do
  local unit = ARGV[i]
  if redis.call('SREM', run .. ':cleanups', unit) == 1 then
    counted = true
    redis.call('HSET', unit_key(unit), 'state', 'cleaned', 'receipt', ARGV[i + 1])
    settle(unit, events)
  end
end
return counted and events or reply_to_repetition()
