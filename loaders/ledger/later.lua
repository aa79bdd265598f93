-- ARGV: unit, attempt, token, wait ms, reason. Gives the unit back. The sweeper publishes it when it is due.
local unit, attempt, token = ARGV[1], ARGV[2], ARGV[3]
local k = unit_key(unit)
even_if_full()
local held = redis.call('HMGET', k, 'attempt', 'token', 'state')
if held[1] == attempt and held[2] == token and held[3] == 'planned' then return {'ok'} end -- a repeated call
if not running() or not current(unit, attempt, token) then return {'fenced'} end
back_to_planned(unit)
redis.call('HSET', k, 'reason', ARGV[5], 'token', token)
redis.call('ZADD', run .. ':later', now_ms() + ARGV[4], unit)
redis.call('HINCRBY', run .. ':late', tenant_of(unit), 1)
return {'ok'}
