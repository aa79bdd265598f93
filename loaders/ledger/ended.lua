-- ARGV: unit, attempt, token, 'denied' | 'failed' | 'skipped', reason, outcome (JSON). Batches pushed before are still loaded.
local unit, attempt, token, events = ARGV[1], ARGV[2], ARGV[3], {'ok'}
even_if_full()
if repeated(unit, attempt, token) then return reply_to_repetition() end
if not running() or not current(unit, attempt, token) then return {'fenced'} end
redis.call('HSET', unit_key(unit), 'outcome', ARGV[6])
add_gaps(unit, ARGV[6])
end_attempt(unit, ARGV[4], ARGV[5])
advance(unit, events)
return events
