-- ARGV: scope, 'failed' | 'held back', reason, receipt. A complete scope that was not cleaned: all that it held stays.
local events, scope = {'ok'}, ARGV[1]
if not running() then return events end
if redis.call('SREM', run .. ':cleanups', scope) == 0 then return reply_to_repetition() end
redis.call('HSET', unit_key(scope), 'state', ARGV[2], 'reason', ARGV[3], 'receipt', ARGV[4])
settle(scope, events)
return events
