-- Shared by every transition. KEYS[1] is the run's key; all other keys derive from it (one Redis, not a cluster).
--   <run>                       hash: version, state, tag, counts, barrier, blocked_by
--   <run>:unit:<id>             hash: one scope, or one part of a scope. There are hundreds of thousands: what a field would
--                               say by default, or what the id says, isn't stored
--                               suspect: a process ended with it and perhaps others: it waits to be tried in a process that
--                               it has to itself, or is 'alone' in one
--                               crashes: such processes that ended           given_up, given_up_why: without progress
--                               waited_ms: for throttling APIs, in all       returned: how often it was given back
--   <run>:unit:<id>:out         set: batches pushed by its current attempt and not yet committed
--   <run>:unit:<id>:parts       set: its parts
--   <run>:unit:<id>:receipts    hash number of a batch -> the loader's signature, until the scope is settled
--   <run>:units                 set of unit ids          <run>:leases     zset unit -> lease end, ms
--   <run>:published:<provider>  zset unit -> when it was handed to the broker, ms       <run>:providers  set of those
--   <run>:later                 zset unit -> not before, ms
--   <run>:queue                 zset tenant not admitted yet -> its expected seconds, negated
--   <run>:queued:<tenant>       set: its units that wait for its admission
--   <run>:admitted              set of tenants that have unsettled units
--   <run>:tenants               hash tenant -> unsettled units       <run>:late  hash tenant -> its units in <run>:later
--   <run>:models                set of models with batches that wait
--   <run>:waiting:<model>       zset batch -> its position in line     <run>:payload:<batch>
--   <run>:tries                 hash batch -> how often it was taken and not committed
--   <run>:set_back              hash model -> its position in line since it was last taken, until its next commit
--   <run>:cleanups              set of scopes whose batches are committed and which are to be cleaned
--   <run>:held                  set of scopes not planned yet of which the graph held data when the run began
--   <run>:access                hash tenant -> how it is reached
--   <run>:failing               hash unit or task -> how often in a row it raised an error, and the last one
--   <run>:rejected              hash id -> a row that the graph refused (MessagePack); beyond a bound only counted
--   <run>:step_failures         hash: step of the analysis -> how often it failed
-- A planned unit is always in one of published, later or queued; a unit that is fetching always has a lease.
local run = KEYS[1]
local VERSION = '2' -- as in version.py

local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function unit_key(unit) return run .. ':unit:' .. unit end

-- A Redis whose memory is full refuses a script at its first write, if that may need memory; after a deletion it lets the
-- script finish. For transitions that end or free something, and add little: they must go on, or nothing would be freed.
local function even_if_full() redis.call('HDEL', run, '') end

local TERMINAL = {fetched = true, denied = true, failed = true, skipped = true, quarantined = true}

-- The state of the run; none where its ledger is another version's, which no transition of this one may change.
local function run_state()
  local f = redis.call('HMGET', run, 'state', 'version')
  return f[2] == VERSION and f[1]
end

local function running()
  return run_state() == 'running'
end

-- Does this attempt hold the unit? After a lost reply two attempts may have the same number; the token tells them apart.
local function current(unit, attempt, token)
  local held = redis.call('HMGET', unit_key(unit), 'attempt', 'token', 'state')
  return held[1] == attempt and held[2] == token and held[3] == 'fetching'
end

-- Was this transition made before, and its reply lost?
local function repeated(unit, attempt, token)
  local held = redis.call('HMGET', unit_key(unit), 'attempt', 'token', 'state')
  return held[1] == attempt and held[2] == token and held[3] ~= 'fetching' and held[3] ~= 'planned'
end

local function add_event(events, name)
  for _, known in ipairs(events) do
    if known == name then return end
  end
  events[#events + 1] = name
end

-- At most one wake-up for the writer is on its way: it takes everything that waits, whichever message woke it, until it rests.
local function wake_writer(events)
  if redis.call('HSETNX', run, 'wake_ms', now_ms()) == 1 then add_event(events, 'load') end
end

-- By what the writer can take, not by the count of what waits: a writer whose batches somebody deleted by hand would look
-- for them without end.
local function work_waits()
  if redis.call('EXISTS', run .. ':cleanups') == 1 then return true end
  for _, model in ipairs(redis.call('SMEMBERS', run .. ':models')) do
    if redis.call('EXISTS', run .. ':waiting:' .. model) == 1 then return true end
  end
  return false
end

-- The reply to a repeated call: every event that the lost reply may have had. A redundant message finds its work done.
local function reply_to_repetition()
  local events = {'ok'}
  if not running() then return events end
  if work_waits() then
    redis.call('HSET', run, 'wake_ms', now_ms())
    add_event(events, 'load')
  end
  if redis.call('ZCARD', run .. ':queue') > 0 then add_event(events, 'admit') end
  if redis.call('HGET', run, 'open') == '0' then add_event(events, 'barrier') end
  return events
end

local function provider_of(unit) return string.match(unit, '^[^./]*') end

local function mark_published(unit, at)
  redis.call('SADD', run .. ':providers', provider_of(unit))
  redis.call('ZADD', run .. ':published:' .. provider_of(unit), at, unit)
end

-- The sorted sets of the units that are neither settled nor queued, each unit with a time.
local function sets_of_times()
  local sets = {run .. ':leases', run .. ':later'}
  for _, provider in ipairs(redis.call('SMEMBERS', run .. ':providers')) do sets[#sets + 1] = run .. ':published:' .. provider end
  return sets
end

-- As the id says, except for the planning unit that lists the tenants.
local function tenant_of(unit)
  local own = redis.call('HGET', unit_key(unit), 'tenant')
  return own or (provider_of(unit) .. '/' .. string.match(string.match(unit, '^[^#]*'), '^[^/]*/(.*)/[^/]*$'))
end

local function no_longer_published(unit)
  redis.call('ZREM', run .. ':published:' .. provider_of(unit), unit)
end

-- Takes a unit out of <run>:later; its tenant counts as active again.
local function no_longer_late(unit)
  if redis.call('ZREM', run .. ':later', unit) == 1 then
    redis.call('HINCRBY', run .. ':late', tenant_of(unit), -1)
  end
end

-- Of a scope and of its parts.
local function drop_receipts(k)
  redis.call('UNLINK', k .. ':receipts')
  for _, part in ipairs(redis.call('SMEMBERS', k .. ':parts')) do redis.call('UNLINK', unit_key(part) .. ':receipts') end
end

local function settle(unit, events)
  local k = unit_key(unit)
  local tenant = tenant_of(unit)
  redis.call('HSET', k, 'settled', 1)
  if redis.call('HEXISTS', k, 'parent') == 0 then drop_receipts(k) end
  redis.call('HINCRBY', run, 'is:' .. redis.call('HGET', k, 'state'), 1)
  local open = redis.call('HINCRBY', run, 'open', -1)
  if redis.call('HINCRBY', run .. ':tenants', tenant, -1) == 0 then
    redis.call('HDEL', run .. ':tenants', tenant)
    redis.call('HDEL', run .. ':late', tenant)
    redis.call('SREM', run .. ':admitted', tenant)
    if redis.call('ZCARD', run .. ':queue') > 0 then add_event(events, 'admit') end
  end
  if open == 0 then
    redis.call('HSET', run, 'settled_ms', now_ms())
    add_event(events, 'barrier')
  end
end

-- A complete listing is not enough: the scope ends in the worst state of its parts, in whatever order they end.
local WORSE = {skipped = 1, denied = 2, failed = 3, quarantined = 4}
local function spoil(scope, state, reason)
  local known = redis.call('HGET', unit_key(scope), 'bad')
  if not known or WORSE[state] > WORSE[known] then
    redis.call('HSET', unit_key(scope), 'bad', state, 'bad_reason', reason)
  end
end

-- Details that were not seen of items that were. Those of a part are fields of its scope.
local function add_gap(unit, field, count)
  local scope = redis.call('HGET', unit_key(unit), 'parent') or unit
  redis.call('HINCRBY', unit_key(scope), field, count)
  redis.call('HSET', unit_key(scope), 'incomplete', 1)
end

local function add_gaps(unit, outcome)
  for text, count in pairs(cjson.decode(outcome).gaps or {}) do add_gap(unit, 'gap:' .. text, count) end
end

-- Moves a unit on once nothing of it is outstanding: a part settles into its scope, a complete scope goes to the cleanup
-- (or counts as cleaned, if it held nothing before and holds nothing now), and any other outcome settles.
local function advance(unit, events)
  local k = unit_key(unit)
  local f = redis.call('HMGET', k, 'state', 'parent', 'parts_open', 'held', 'pushed', 'bad', 'bad_reason', 'settled')
  local state, parent = f[1], f[2]
  if f[8] or not TERMINAL[state] then return end
  if redis.call('SCARD', k .. ':out') > 0 then return end
  if tonumber(f[3] or 0) > 0 then return end
  if parent then
    settle(unit, events)
    local pk = unit_key(parent)
    redis.call('HINCRBY', pk, 'parts_open', -1)
    if f[5] then redis.call('HINCRBY', pk, 'pushed', f[5]) end
    local rows = redis.call('HGET', k, 'rows')
    if rows then redis.call('HINCRBY', pk, 'rows', rows) end
    if state ~= 'fetched' then spoil(parent, state, redis.call('HGET', k, 'reason') or '') end
    return advance(parent, events)
  end
  if state == 'fetched' and f[6] then
    state = f[6]
    redis.call('HSET', k, 'state', state, 'reason', f[7] or '')
  end
  if state == 'fetched' then
    if f[4] == '1' or tonumber(f[5] or 0) > 0 then
      redis.call('SADD', run .. ':cleanups', unit)
      wake_writer(events)
      return
    end
    redis.call('HSET', k, 'state', 'cleaned')
  end
  settle(unit, events)
end

-- A batch is called <model>|<attempt>.<token>|<number>|<unit>; nil where it is called anything else.
local function model_of(batch) return string.match(batch, '^([^|]*)|') or '' end
local function unit_of(batch) return string.match(batch, '^[^|]*|[^|]*|[^|]*|(.*)$') end

-- Did an attempt at a unit of this run push it, and is it not committed yet?
local function is_outstanding(batch)
  local unit = unit_of(batch)
  return unit and redis.call('SISMEMBER', unit_key(unit) .. ':out', batch) == 1
end

-- Removes a batch and its payload from the line. `0 - n`, not `-n`: Redis doesn't accept '-0' as an integer.
local function no_longer_waiting(batch)
  local model = model_of(batch)
  local payload = run .. ':payload:' .. batch
  redis.call('HDEL', run .. ':tries', batch)
  if redis.call('ZREM', run .. ':waiting:' .. model, batch) == 1 then
    redis.call('HINCRBY', run, 'waiting_bytes', 0 - redis.call('STRLEN', payload))
    if redis.call('HINCRBY', run, 'waiting', -1) == 0 then redis.call('HSET', run, 'waiting_bytes', 0) end
  end
  redis.call('UNLINK', payload)
end

-- Removes the batches of an attempt that a later attempt replaces: they no longer count.
local function drop_batches(unit)
  local out = unit_key(unit) .. ':out'
  for _, batch in ipairs(redis.call('SMEMBERS', out)) do no_longer_waiting(batch) end
  redis.call('DEL', out)
end

-- A part that an earlier round planned continues its count of attempts, so that no batch name is used twice.
local function add_unit(unit, tenant, held, signature, parent)
  if redis.call('SADD', run .. ':units', unit) == 0 then return false end
  local k = unit_key(unit)
  redis.call('HSET', k, 'state', 'planned', 'signature', signature)
  if tenant ~= tenant_of(unit) then redis.call('HSET', k, 'tenant', tenant) end
  if held == '1' then redis.call('HSET', k, 'held', 1) end
  redis.call('SREM', run .. ':held', unit)
  if parent then redis.call('HSET', k, 'parent', parent) end
  redis.call('HINCRBY', run, 'open', 1)
  redis.call('HINCRBY', run, 'planned', 1)
  redis.call('HINCRBY', run .. ':tenants', tenant, 1)
  return true
end

-- The caller says when the unit is published again.
local function back_to_planned(unit)
  local k = unit_key(unit)
  redis.call('HSET', k, 'state', 'planned')
  redis.call('HDEL', k, 'token')
  redis.call('ZREM', run .. ':leases', unit)
end

local function end_attempt(unit, state, reason)
  local k = unit_key(unit)
  redis.call('ZREM', run .. ':leases', unit)
  redis.call('HDEL', run .. ':failing', unit)
  redis.call('HSET', k, 'state', state, 'ended_ms', now_ms())
  redis.call('HDEL', k, 'lease_ms', 'excused')
  if reason ~= '' then redis.call('HSET', k, 'reason', reason) end
end

-- Ends a unit whose attempts ended so often without an outcome. False: it may be tried again.
local function quarantined(unit, max_crashes, events)
  local k = unit_key(unit)
  local f = redis.call('HMGET', k, 'crashes', 'given_up', 'given_up_why', 'worker')
  local crashes, given_up = tonumber(f[1] or 0), tonumber(f[2] or 0)
  if crashes + given_up < max_crashes then return false end
  local why = {}
  if crashes > 0 then
    why[1] = crashes .. ' attempts ended the process that they had to themselves (it crashed, was killed or stood still), last on '
      .. (f[4] or 'an unknown worker')
  end
  if given_up > 0 then why[#why + 1] = given_up .. ' attempts were given up: ' .. (f[3] or '') end
  end_attempt(unit, 'quarantined', table.concat(why, '; '))
  redis.call('HDEL', k, 'token')
  advance(unit, events)
  return true
end
