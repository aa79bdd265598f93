-- The concurrent calls of one API bucket. KEYS[1]: sorted set of calls by the end of their lease (ms).
-- ARGV: 'enter' | 'renew' | 'leave', the call, the maximum number of calls (enter), the length of a lease in ms
-- enter -> 1 if the call got a slot, 0 if it has to wait
redis.call('ZREM', KEYS[1], '') -- after a deletion, a Redis whose memory is full lets a script finish
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local ends = now + tonumber(ARGV[4])

if ARGV[1] == 'leave' then return redis.call('ZREM', KEYS[1], ARGV[2]) end
if ARGV[1] == 'renew' then return redis.call('ZADD', KEYS[1], 'XX', 'CH', ends, ARGV[2]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[1], ends + tonumber(ARGV[4]), '+inf') -- the clock of Redis was set back since
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[1], ends, ARGV[2])
redis.call('PEXPIRE', KEYS[1], 3600000)
return 1
