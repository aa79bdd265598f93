-- ARGV: scope, gap field, id, entry, max rows, max bytes, seconds. The graph refused a row of this scope, whose node stays as it
-- was: the coverage reports it once, however often it is rejected. It is kept for a look and another try; what goes beyond
-- those bounds is only counted.
if not running() or redis.call('SISMEMBER', run .. ':units', ARGV[1]) == 0 then return {'ok'} end
local rejected, id, bytes = run .. ':rejected', ARGV[3], #ARGV[4]
if redis.call('HEXISTS', rejected, id) == 1 then return {'ok'} end
even_if_full()
local k, gap = unit_key(ARGV[1]), ARGV[2]
if redis.call('HEXISTS', k, gap) == 0 and redis.call('HLEN', k) > 100 then
  gap = 'gap:{"failure":"rejected","detail":"and others"}'
end
add_gap(ARGV[1], gap, 1)
local kept = tonumber(redis.call('HGET', run, 'rejected_bytes') or 0)
if redis.call('HLEN', rejected) >= tonumber(ARGV[5]) or kept + bytes > tonumber(ARGV[6]) then
  redis.call('HINCRBY', run, 'rejected_more', 1)
  return {'ok'}
end
redis.call('HSET', rejected, id, ARGV[4])
redis.call('HINCRBY', run, 'rejected_bytes', bytes)
redis.call('EXPIRE', rejected, ARGV[7])
return {'ok'}
