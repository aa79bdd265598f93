-- ARGV: none. Returns 1 if the writer has more to do; 0 if it may end, and whoever has work for it then wakes it again.
-- By what can be taken, not by the count of what waits: a writer whose batches somebody deleted by hand would look for them
-- without end.
local function more_to_do()
  if redis.call('EXISTS', run .. ':cleanups') == 1 then return true end
  for _, model in ipairs(redis.call('SMEMBERS', run .. ':models')) do
    if redis.call('EXISTS', run .. ':waiting:' .. model) == 1 then return true end
  end
  return false
end

if running() and more_to_do() then return 1 end
redis.call('HDEL', run, 'wake_ms', 'stalled_ms')
return 0
