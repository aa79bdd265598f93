-- ARGV: unit, attempt, token, batches, outcome (JSON {calls, gaps: {text: items}}), JSON [[part unit, signature], ...], seal
local unit, attempt, token, events = ARGV[1], ARGV[2], ARGV[3], {'ok'}
if repeated(unit, attempt, token) then return reply_to_repetition() end
if not running() or not current(unit, attempt, token) then return {'fenced'} end
local k = unit_key(unit)
if (redis.call('HGET', k, 'pushed') or '0') ~= ARGV[4] then return {'fenced'} end
local tenant, planned, parts = tenant_of(unit), cjson.decode(ARGV[6]), 0
if #planned == 0 then even_if_full() end
for _, part in ipairs(planned) do
  if add_unit(part[1], tenant, '0', part[2], unit) then
    redis.call('SADD', k .. ':parts', part[1])
    mark_published(part[1], now_ms())
    parts = parts + 1
  end
end
if parts > 0 then redis.call('HINCRBY', k, 'parts_open', parts) end
redis.call('HSET', k, 'outcome', ARGV[5], 'seal', ARGV[7])
add_gaps(unit, ARGV[5])
end_attempt(unit, 'fetched', '')
advance(unit, events)
return events
