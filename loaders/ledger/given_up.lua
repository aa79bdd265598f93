-- ARGV: unit, attempt, token, max crashes, why, crashed (1 or 0). A living worker gives an attempt up that makes no progress:
-- it counts like a crash, under its own name. Or it reports that the process ended which the attempt had to itself. The sweeper
-- publishes the unit in its next round.
local unit, events = ARGV[1], {'ok'}
if not running() or not current(unit, ARGV[2], ARGV[3]) then return {'fenced'} end
if ARGV[6] == '1' then
  redis.call('HINCRBY', unit_key(unit), 'crashes', 1)
else
  redis.call('HINCRBY', unit_key(unit), 'given_up', 1)
  redis.call('HSET', unit_key(unit), 'given_up_why', ARGV[5])
end
if not quarantined(unit, tonumber(ARGV[4]), events) then
  back_to_planned(unit)
  mark_published(unit, 0)
end
return events
