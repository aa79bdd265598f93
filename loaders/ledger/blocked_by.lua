-- ARGV: reason. What the writer of an active run waits for. Cleared by the next commit and at the end of the run.
even_if_full()
local state = run_state()
if state == 'running' or state == 'analysing' then redis.call('HSET', run, 'blocked_by', ARGV[1]) end
return {'ok'}
