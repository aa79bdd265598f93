-- ARGV: batch, ... Each batch counts once: it is outstanding, or already counted, or replaced by a later attempt.
local events, counted = {'ok'}, false
even_if_full()
if not running() then return events end
for _, batch in ipairs(ARGV) do
  local unit = unit_of(batch)
  no_longer_waiting(batch)
  if unit and redis.call('SREM', unit_key(unit) .. ':out', batch) == 1 then
    counted = true
    redis.call('HDEL', run .. ':set_back', model_of(batch))
    redis.call('HSET', run, 'committed_ms', now_ms())
    redis.call('HDEL', run, 'blocked_by')
    advance(unit, events)
  end
end
return counted and events or reply_to_repetition()
