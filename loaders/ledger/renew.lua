-- ARGV: unit, attempt, token, lease ms. Returns 1, or 0 if the attempt no longer holds the unit and must stop.
even_if_full()
if not running() or not current(ARGV[1], ARGV[2], ARGV[3]) then return 0 end
redis.call('ZADD', run .. ':leases', now_ms() + ARGV[4], ARGV[1])
return 1
