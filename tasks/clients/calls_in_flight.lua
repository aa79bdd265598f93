-- The calls of one API bucket that are in flight. KEYS[1]: sorted set of calls by the end of their lease (ms).
-- ARGV: 'enter' | 'renew' | 'leave', the call, how many there may be (enter), length of a lease in ms
-- enter -> 1 where the call is now one of at most so many, 0 where it has to wait
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local ends = now + tonumber(ARGV[4])

if ARGV[1] == 'leave' then return redis.call('ZREM', KEYS[1], ARGV[2]) end
if ARGV[1] == 'renew' then return redis.call('ZADD', KEYS[1], 'XX', 'CH', ends, ARGV[2]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[1], ends, ARGV[2])
redis.call('PEXPIRE', KEYS[1], 3600000)
return 1
