-- ARGV: unit or task, text. It raised an error once more. Returns how often it has in a row.
local state = run_state()
if state ~= 'running' and state ~= 'analysing' then return 0 end
even_if_full()
local times = tonumber(string.match(redis.call('HGET', run .. ':failing', ARGV[1]) or '0', '^%d+')) + 1
redis.call('HSET', run .. ':failing', ARGV[1], times .. ' ' .. ARGV[2])
return times
