-- ARGV: max batches, max bytes. Returns {model, batch, payload, batch, payload, ...} of the model whose batch has waited longest.
-- Removes nothing: a batch that is taken and not committed is simply taken again.
redis.call('HDEL', run, 'wake_ms', 'stalled_ms')
if not running() then return {} end

local function longest_waiting()
  local found, place
  for _, model in ipairs(redis.call('SMEMBERS', run .. ':models')) do
    local head = redis.call('ZRANGE', run .. ':waiting:' .. model, 0, 0, 'WITHSCORES')
    if not head[1] then
      redis.call('SREM', run .. ':models', model)
    elseif not place or tonumber(head[2]) < place then
      found, place = model, tonumber(head[2])
    end
  end
  return found
end

-- A batch without its payload can't be loaded: its unit is fetched again. (Redis doesn't evict, but keys may be deleted by hand.)
local function fetch_again(batch)
  local unit = string.match(batch, '^[^|]*|[^|]*|[^|]*|(.*)$')
  if redis.call('SISMEMBER', run .. ':units', unit) == 0 then return no_longer_waiting(batch) end
  drop_batches(unit)
  no_longer_waiting(batch)
  if redis.call('HGET', unit_key(unit), 'state') ~= 'planned' then
    back_to_planned(unit)
    mark_published(unit, 0)
  end
end

local model = longest_waiting()
while model do
  local taken, bytes = {model}, 0
  for _, batch in ipairs(redis.call('ZRANGE', run .. ':waiting:' .. model, 0, ARGV[1] - 1)) do
    local payload = redis.call('GET', run .. ':payload:' .. batch)
    if payload then
      if bytes > 0 and bytes + #payload > tonumber(ARGV[2]) then break end
      bytes = bytes + #payload
      taken[#taken + 1] = batch
      taken[#taken + 1] = payload
    else
      fetch_again(batch)
    end
  end
  if #taken > 1 then return taken end
  model = longest_waiting()
end
return {}
