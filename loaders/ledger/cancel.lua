-- ARGV: reason. Discards what waits for the writer; nothing is deleted from the graph.
local state = run_state()
even_if_full()
if state ~= 'running' and state ~= 'analysing' then return state or 'unknown' end
redis.call('HSET', run, 'state', 'cancelled', 'reason', ARGV[1], 'finished_ms', now_ms(), 'waiting', 0, 'waiting_bytes', 0)
for _, model in ipairs(redis.call('SMEMBERS', run .. ':models')) do
  for _, batch in ipairs(redis.call('ZRANGE', run .. ':waiting:' .. model, 0, -1)) do
    redis.call('UNLINK', run .. ':payload:' .. batch)
  end
  redis.call('UNLINK', run .. ':waiting:' .. model)
end
redis.call('UNLINK', run .. ':models', run .. ':cleanups', run .. ':tries', run .. ':set_back', run .. ':held',
  run .. ':failing')
return 'cancelled'
