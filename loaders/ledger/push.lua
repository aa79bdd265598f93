-- ARGV: unit, attempt, token, number, model, rows, payload. Storing the batch and counting it are one step.
local unit, attempt, number, model = ARGV[1], ARGV[2], tonumber(ARGV[4]), ARGV[5]
if not running() or not current(unit, attempt, ARGV[3]) then return {'fenced'} end
local k = unit_key(unit)
local pushed = tonumber(redis.call('HGET', k, 'pushed') or 0)
if number > pushed then return {'fenced'} end
if number < pushed then return reply_to_repetition() end
local events = {'ok'}
-- With the token: a Redis that lost its last second may issue a number twice.
local batch = model .. '|' .. attempt .. '.' .. ARGV[3] .. '|' .. ARGV[4] .. '|' .. unit
redis.call('SET', run .. ':payload:' .. batch, ARGV[7])
redis.call('SADD', k .. ':out', batch)
redis.call('SADD', run .. ':models', model)
redis.call('ZADD', run .. ':waiting:' .. model, redis.call('HINCRBY', run, 'pushed', 1), batch)
redis.call('HINCRBY', k, 'pushed', 1)
redis.call('HINCRBY', k, 'rows', ARGV[6])
redis.call('HINCRBY', run, 'waiting', 1)
redis.call('HINCRBY', run, 'waiting_bytes', #ARGV[7])
wake_writer(events)
return events
