-- ARGV: run id, tag, config (JSON), window, then the planning units of the providers. An existing run is left as it is.
if redis.call('EXISTS', run) == 1 then return {} end
redis.call('ZADD', 'chartfleet:runs', ARGV[2], ARGV[1])
redis.call('HSET', run, 'state', 'running', 'tag', ARGV[2], 'config', ARGV[3], 'window', ARGV[4], 'round', 1,
  'created_ms', now_ms(), 'open', 0, 'planned', 0, 'waiting', 0, 'waiting_bytes', 0)
for i = 5, #ARGV do
  add_unit(ARGV[i], ARGV[i], '0')
  mark_published(ARGV[i], now_ms())
end
return {}
