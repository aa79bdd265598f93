-- ARGV: longest time of a round in ms, the reason, max units per call. Returns {'', event, ...} where the round has not lasted so
-- long or nothing is left, {'more', event, ...} where further units are left, {'cancel'} where it has lasted twice as long.
-- What isn't read by then fails, and deletes nothing; what is read is still loaded, and the run comes to its barrier.
local state = run_state()
if state ~= 'running' and state ~= 'analysing' then return {''} end
local began = redis.call('HMGET', run, 'round_ms', 'created_ms')
local age, longest = now_ms() - tonumber(began[1] or began[2] or now_ms()), tonumber(ARGV[1])
if age > 2 * longest then return {'cancel'} end
if age <= longest or state ~= 'running' then return {''} end

local events, left = {''}, tonumber(ARGV[3])

local function fail(units)
  for _, unit in ipairs(units) do
    if left == 0 then return end
    left = left - 1
    no_longer_published(unit)
    no_longer_late(unit)
    end_attempt(unit, 'failed', ARGV[2])
    redis.call('HDEL', unit_key(unit), 'token')
    advance(unit, events)
  end
end

for _, tenant in ipairs(redis.call('ZRANGE', run .. ':queue', 0, left - 1)) do
  local queued = run .. ':queued:' .. tenant
  local units = redis.call('SMEMBERS', queued)
  if left < #units then break end
  redis.call('ZREM', run .. ':queue', tenant)
  redis.call('DEL', queued)
  fail(units)
end
for _, set in ipairs(sets_of_times()) do
  if left > 0 then fail(redis.call('ZRANGE', set, 0, left - 1)) end
end
if left == 0 then events[1] = 'more' end
return events
