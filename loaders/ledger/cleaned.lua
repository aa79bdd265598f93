-- ARGV: scope, ... Each scope counts once.
local events, counted = {'ok'}, false
even_if_full()
if not running() then return events end
for _, unit in ipairs(ARGV) do
  if redis.call('SREM', run .. ':cleanups', unit) == 1 then
    counted = true
    redis.call('HSET', unit_key(unit), 'state', 'cleaned')
    settle(unit, events)
  end
end
return counted and events or reply_to_repetition()
