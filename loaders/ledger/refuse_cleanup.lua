-- ARGV: reason, scope, ... Nothing of these is deleted: that they are complete is not signed. Returns what has to follow.
local events = {'ok'}
if not running() then return events end
for i = 2, #ARGV do
  local unit = ARGV[i]
  if redis.call('SREM', run .. ':cleanups', unit) == 1 and redis.call('SISMEMBER', run .. ':units', unit) == 1
      and redis.call('HGET', unit_key(unit), 'settled') ~= '1' then
    redis.call('HSET', unit_key(unit), 'state', 'failed', 'reason', ARGV[1])
    settle(unit, events)
  end
end
return events
