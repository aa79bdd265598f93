-- ARGV: unit, attempt, token, wait ms, reason, longest wait in all in ms ('' where this wait counts as none), max returns,
-- the reason where it waited too long, the reason where it was given back too often.
-- Gives the unit back; the sweeper publishes it when it is due. Every wait ends: that of one return after an hour, whoever
-- asks for it, and those of all returns by a failure of the unit.
local unit, attempt, token, events = ARGV[1], ARGV[2], ARGV[3], {'ok'}
local k = unit_key(unit)
even_if_full()
local held = redis.call('HMGET', k, 'attempt', 'token', 'state')
if held[1] == attempt and held[2] == token and held[3] == 'planned' then return {'ok'} end -- a repeated call
if repeated(unit, attempt, token) then return reply_to_repetition() end
if not running() or not current(unit, attempt, token) then return {'fenced'} end
local wait = string.format('%d', math.max(0, math.min(tonumber(ARGV[4]), 3600000)))
local failure
if ARGV[6] ~= '' and redis.call('HINCRBY', k, 'waited_ms', wait) > tonumber(ARGV[6]) then failure = ARGV[8] end
if redis.call('HINCRBY', k, 'returned', 1) > tonumber(ARGV[7]) then failure = failure or ARGV[9] end
if failure then
  end_attempt(unit, 'failed', failure)
  advance(unit, events)
  return events
end
back_to_planned(unit)
redis.call('HSET', k, 'reason', ARGV[5], 'token', token)
redis.call('ZADD', run .. ':later', now_ms() + wait, unit)
redis.call('HINCRBY', run .. ':late', tenant_of(unit), 1)
return events
