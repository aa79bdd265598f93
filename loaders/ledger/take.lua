-- ARGV: max batches, max bytes. Returns {model, tries, batch, payload, batch, payload, ...} of the model whose turn it is.
-- Removes nothing: a batch that is taken and not committed is taken again, alone, once every other model had its turn.
-- `tries`: how often these batches were taken, this time included. A commit, or `excuse`, starts the count anew.
redis.call('HDEL', run, 'stalled_ms')
if not running() then return {} end
redis.call('HSET', run, 'wake_ms', now_ms()) -- the writer is at it: nobody needs to wake it until it rests

-- The model whose oldest batch has waited longest. One whose last take wasn't committed is behind all that waited then.
local function longest_waiting()
  local found, place
  for _, model in ipairs(redis.call('SMEMBERS', run .. ':models')) do
    local head = redis.call('ZRANGE', run .. ':waiting:' .. model, 0, 0, 'WITHSCORES')
    if not head[1] then
      redis.call('SREM', run .. ':models', model)
    else
      local position = math.max(tonumber(head[2]), tonumber(redis.call('HGET', run .. ':set_back', model) or 0))
      if not place or position < place then found, place = model, position end
    end
  end
  return found
end

-- A batch without its payload can't be loaded: its unit is fetched again. (Redis doesn't evict, but keys may be deleted by hand.)
local function fetch_again(batch)
  local unit = unit_of(batch)
  if redis.call('SISMEMBER', run .. ':units', unit or '') == 0 then return no_longer_waiting(batch) end
  drop_batches(unit)
  no_longer_waiting(batch)
  if redis.call('HGET', unit_key(unit), 'state') ~= 'planned' then
    back_to_planned(unit)
    mark_published(unit, 0)
  end
end

-- A name that no attempt pushed, whoever put it in line: nothing is loaded because of it.
local function discard(model, batch)
  redis.call('ZREM', run .. ':waiting:' .. model, batch)
  redis.call('UNLINK', run .. ':payload:' .. batch)
end

local function end_of_line() return redis.call('HINCRBY', run, 'pushed', 1) end

local function take(model)
  local taken, bytes = {model, 1}, 0
  for _, batch in ipairs(redis.call('ZRANGE', run .. ':waiting:' .. model, 0, ARGV[1] - 1)) do
    local payload = redis.call('GET', run .. ':payload:' .. batch)
    local tried = redis.call('HGET', run .. ':tries', batch)
    if not is_outstanding(batch) then
      discard(model, batch)
    elseif not payload then
      fetch_again(batch)
    elseif not tried or #taken == 2 then
      if bytes > 0 and bytes + #payload > tonumber(ARGV[2]) then break end
      bytes = bytes + #payload
      taken[#taken + 1] = batch
      taken[#taken + 1] = payload
      local tries = redis.call('HINCRBY', run .. ':tries', batch, 1)
      if tried then
        taken[2] = tries
        redis.call('ZADD', run .. ':waiting:' .. model, end_of_line(), batch)
        break
      end
    end
  end
  if #taken == 2 then return nil end
  redis.call('HSET', run .. ':set_back', model, end_of_line())
  return taken
end

local model = longest_waiting()
while model do
  local taken = take(model)
  if taken then return taken end
  model = longest_waiting()
end
return {}
