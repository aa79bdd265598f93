-- ARGV: unit, attempt, token. From here on the attempt has a process to itself.
if not running() or not current(ARGV[1], ARGV[2], ARGV[3]) then return {'fenced'} end
redis.call('HSET', unit_key(ARGV[1]), 'suspect', 'alone')
return {'ok'}
