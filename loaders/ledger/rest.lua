-- ARGV: none. Returns 1 if the writer has more to do; 0 if it may end, and whoever has work for it then wakes it again.
if running() and work_waits() then return 1 end
redis.call('HDEL', run, 'wake_ms', 'stalled_ms')
return 0
