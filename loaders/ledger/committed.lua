-- ARGV: batch, its receipt ('' if its rows were not loaded), ... Each batch counts once: it is outstanding, or already
-- counted, or replaced by a later attempt.
local events, counted = {'ok'}, false
even_if_full()
if not running() then return events end
for i = 1, #ARGV, 2 do
  local batch, receipt = ARGV[i], ARGV[i + 1]
  local unit = unit_of(batch)
  no_longer_waiting(batch)
  if unit and redis.call('SREM', unit_key(unit) .. ':out', batch) == 1 then
    counted = true
    redis.call('HDEL', run .. ':set_back', model_of(batch))
    if receipt ~= '' then
      redis.call('HSET', unit_key(unit) .. ':receipts', string.match(batch, '^[^|]*|[^|]*|([^|]*)|'), receipt)
    end
    redis.call('HSET', run, 'committed_ms', now_ms())
    redis.call('HDEL', run, 'blocked_by')
    advance(unit, events)
  end
end
return counted and events or reply_to_repetition()
