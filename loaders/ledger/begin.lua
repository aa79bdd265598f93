-- ARGV: unit, token, lease ms, worker. Returns {attempt, signature of the unit, '1' if it is a suspect}, or {reason} if there is
-- nothing to do.
local unit, token = ARGV[1], ARGV[2]
even_if_full()
local k = unit_key(unit)
local f = redis.call('HMGET', k, 'state', 'token', 'attempt', 'signature', 'suspect')
local state = f[1]
if not state then return {'unknown'} end
if not running() then return {'not running'} end
if state == 'fetching' then return {f[2] == token and f[3] or 'leased', f[4] or '', f[5] and '1' or ''} end
if state ~= 'planned' then return {'settled'} end
if redis.call('SISMEMBER', run .. ':queued:' .. tenant_of(unit), unit) == 1 then return {'not admitted'} end
local due = redis.call('ZSCORE', run .. ':later', unit)
if due and tonumber(due) > now_ms() then return {'later'} end
drop_batches(unit)
local attempt = redis.call('HINCRBY', k, 'attempt', 1)
redis.call('HSET', k, 'state', 'fetching', 'token', token, 'worker', ARGV[4], 'started_ms', now_ms(), 'lease_ms', ARGV[3])
redis.call('HDEL', k, 'reason', 'ended_ms', 'excused', 'pushed', 'rows')
if redis.call('EXISTS', k .. ':parts') == 0 then redis.call('HDEL', k, 'bad', 'bad_reason') end
redis.call('ZADD', run .. ':leases', now_ms() + ARGV[3], unit)
no_longer_published(unit)
no_longer_late(unit)
if f[5] then redis.call('HSET', k, 'suspect', 'waits') end
return {tostring(attempt), f[4] or '', f[5] and '1' or ''}
