-- ARGV: max scopes. Returns scopes that are to be cleaned. A name in the set is not enough to delete anything: it must be a
-- scope of this run that is complete, and of which nothing is outstanding. Any other name is taken off the list.
local due = {}
if not running() then return due end

local function is_due(scope)
  if redis.call('SISMEMBER', run .. ':units', scope) == 0 then return false end
  local k = unit_key(scope)
  local f = redis.call('HMGET', k, 'state', 'parent', 'bad', 'settled', 'parts_open', 'held', 'pushed', 'attempt')
  if f[1] ~= 'fetched' or f[2] or f[3] or f[4] then return false end
  if tonumber(f[5] or 0) > 0 or redis.call('SCARD', k .. ':out') > 0 then return false end
  return (f[6] == '1' or tonumber(f[7] or 0) > 0) and tonumber(f[8] or 0) > 0
end

while #due == 0 do
  local named = redis.call('SRANDMEMBER', run .. ':cleanups', ARGV[1])
  if #named == 0 then break end
  for _, scope in ipairs(named) do
    if is_due(scope) then due[#due + 1] = scope else redis.call('SREM', run .. ':cleanups', scope) end
  end
end
return due
