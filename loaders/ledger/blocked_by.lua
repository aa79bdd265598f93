-- ARGV: reason. What holds up the writer of a run that is under way; it goes with the next commit, and with the run's end.
local state = redis.call('HGET', run, 'state')
if state == 'running' or state == 'analysing' then redis.call('HSET', run, 'blocked_by', ARGV[1]) end
return {'ok'}
