-- ARGV: lease ms, max crashes, redelivery grace ms, redis run id, then for each provider its name and its number of waiting
-- messages. Returns {events, units to publish}. Finds what was lost: expired leases, lost messages, wake-ups, callbacks.
local lease, max_crashes, redelivery_grace = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local events, publish, now = {}, {}, now_ms()
local state = run_state()
if state ~= 'running' and state ~= 'analysing' then return {events, publish} end
even_if_full()

-- The run's heartbeat.
local last = tonumber(redis.call('HGET', run, 'swept_ms') or now)
local broker = redis.call('HGET', run, 'broker')
local restarted = broker and broker ~= ARGV[4]
redis.call('HSET', run, 'swept_ms', now, 'broker', ARGV[4])

-- The clock of Redis was set back: every time that is yet to come, or since which something has waited, moves with it.
local function move_times(ms)
  for _, set in ipairs(sets_of_times()) do
    for _, unit in ipairs(redis.call('ZRANGE', set, 0, -1)) do redis.call('ZINCRBY', set, ms, unit) end
  end
  for _, field in ipairs({'wake_ms', 'stalled_ms', 'barrier_lease_ms'}) do
    if redis.call('HEXISTS', run, field) == 1 then redis.call('HINCRBY', run, field, ms) end
  end
end
if last - now > 1000 then move_times(now - last) end

if state == 'analysing' then
  if tonumber(redis.call('HGET', run, 'barrier_lease_ms') or 0) < now then add_event(events, 'barrier') end
  return {events, publish}
end

local function publish_now(unit)
  mark_published(unit, now)
  publish[#publish + 1] = unit
end

-- While Redis or every sweeper was away, no lease could be renewed: each is extended once before it counts as lost.
-- An attempt that was active when Redis restarted may vanish through no fault of its scope: that is not counted as a crash.
if now - last > lease / 2 or restarted then
  for _, unit in ipairs(redis.call('ZRANGE', run .. ':leases', 0, -1)) do
    redis.call('ZADD', run .. ':leases', 'GT', now + lease, unit)
    if restarted then redis.call('HSET', unit_key(unit), 'excused', 1) end
  end
end

for _, unit in ipairs(redis.call('ZRANGEBYSCORE', run .. ':leases', '-inf', now, 'LIMIT', 0, 500)) do
  local k = unit_key(unit)
  local excused = redis.call('HDEL', k, 'excused') == 1
  if not excused then
    if redis.call('HGET', k, 'suspect') == 'alone' then redis.call('HINCRBY', k, 'crashes', 1) end
    redis.call('HSET', k, 'suspect', 'waits')
  end
  if excused or not quarantined(unit, max_crashes, events) then
    back_to_planned(unit)
    publish_now(unit)
  end
end

for _, unit in ipairs(redis.call('ZRANGEBYSCORE', run .. ':later', '-inf', now, 'LIMIT', 0, 500)) do
  no_longer_late(unit)
  publish_now(unit)
end

-- A message is lost if its scope never began although its provider's queue is empty; or, after a very long time, although the
-- queue has fewer messages than there are scopes to begin. Nothing is sent twice to a queue that is merely stalled.
local queued = {}
for i = 5, #ARGV, 2 do queued[ARGV[i]] = tonumber(ARGV[i + 1]) end
for _, provider in ipairs(redis.call('SMEMBERS', run .. ':providers')) do
  local waiting, before = queued[provider], now - redelivery_grace * 60
  if waiting == 0 then
    before = now - redelivery_grace
  elseif waiting and waiting >= redis.call('ZCARD', run .. ':published:' .. provider) then
    before = 0 -- only units marked for publication in this round
  end
  for _, unit in ipairs(redis.call('ZRANGEBYSCORE', run .. ':published:' .. provider, '-inf', before, 'LIMIT', 0, 500)) do
    publish_now(unit)
  end
end

-- A wake-up is lost if no writer took batches for that long; so is a writer that took batches and crashed before its commit.
if work_waits() then
  local since = redis.call('HGET', run, 'wake_ms') or redis.call('HGET', run, 'stalled_ms')
  if not since then
    redis.call('HSET', run, 'stalled_ms', now)
  elseif now - since > redelivery_grace then
    redis.call('HSET', run, 'wake_ms', now)
    add_event(events, 'load')
  end
end
if redis.call('ZCARD', run .. ':queue') > 0 then add_event(events, 'admit') end
if redis.call('HGET', run, 'open') == '0' then add_event(events, 'barrier') end
return {events, publish}
