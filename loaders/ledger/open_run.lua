-- ARGV: run id, tag, config (JSON), its signature, window, then each provider's planning unit and its signature. An existing
-- run is left as it is.
if redis.call('EXISTS', run) == 1 then return {} end
redis.call('ZADD', 'chartfleet:runs', ARGV[2], ARGV[1])
redis.call('HSET', run, 'version', VERSION, 'state', 'running', 'tag', ARGV[2], 'config', ARGV[3], 'signature', ARGV[4],
  'window', ARGV[5], 'round', 1,
  'created_ms', now_ms(), 'open', 0, 'planned', 0, 'waiting', 0, 'waiting_bytes', 0)
for i = 6, #ARGV, 2 do
  add_unit(ARGV[i], ARGV[i], '0', ARGV[i + 1])
  mark_published(ARGV[i], now_ms())
end
return {}
