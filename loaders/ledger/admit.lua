-- ARGV: none. Admits tenants up to the window, the longest expected first. Returns their units, to be published.
-- A tenant whose units all wait until later takes no place in the window: it must not starve the others.
local published = {}
even_if_full()
if not running() then return published end
local window, active = tonumber(redis.call('HGET', run, 'window')), 0
for _, tenant in ipairs(redis.call('SMEMBERS', run .. ':admitted')) do
  if redis.call('HGET', run .. ':tenants', tenant) ~= redis.call('HGET', run .. ':late', tenant) then active = active + 1 end
end
while active < window do
  local tenant = redis.call('ZRANGE', run .. ':queue', 0, 0)[1]
  if not tenant then break end
  redis.call('ZREM', run .. ':queue', tenant)
  redis.call('SADD', run .. ':admitted', tenant)
  active = active + 1
  for _, unit in ipairs(redis.call('SMEMBERS', run .. ':queued:' .. tenant)) do
    mark_published(unit, now_ms())
    published[#published + 1] = unit
  end
  redis.call('DEL', run .. ':queued:' .. tenant)
end
return published
