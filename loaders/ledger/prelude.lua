-- Shared by every transition. KEYS[1] is the run's key; all other keys derive from it (one Redis, not a cluster).
--   <run>                       hash: version, state, tag, counts, barrier, blocked_by
--   <run>:unit:<id>             hash: one scope, or one part of a scope; `crashes`: attempts whose worker crashed
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
--   <run>:cleanups              set of scopes whose batches are committed and which are to be cleaned
-- A planned unit is always in one of published, later or queued; a unit that is fetching always has a lease.
local run = KEYS[1]
local VERSION = '2' -- as in version.py

local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function unit_key(unit) return run .. ':unit:' .. unit end

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

-- At most one wake-up for the writer is on its way: it takes everything that waits, whichever message woke it.
local function wake_writer(events)
  if redis.call('HSETNX', run, 'wake_ms', now_ms()) == 1 then add_event(events, 'load') end
end

local function work_waits()
  return tonumber(redis.call('HGET', run, 'waiting')) > 0 or redis.call('SCARD', run .. ':cleanups') > 0
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

local function no_longer_published(unit)
  redis.call('ZREM', run .. ':published:' .. provider_of(unit), unit)
end

-- Takes a unit out of <run>:later; its tenant counts as active again.
local function no_longer_late(unit)
  if redis.call('ZREM', run .. ':later', unit) == 1 then
    redis.call('HINCRBY', run .. ':late', redis.call('HGET', unit_key(unit), 'tenant'), -1)
  end
end

-- Of a scope and of its parts.
local function drop_receipts(k)
  redis.call('UNLINK', k .. ':receipts')
  for _, part in ipairs(redis.call('SMEMBERS', k .. ':parts')) do redis.call('UNLINK', unit_key(part) .. ':receipts') end
end

local function settle(unit, events)
  local k = unit_key(unit)
  local fields = redis.call('HMGET', k, 'state', 'tenant', 'started_ms', 'ended_ms', 'parent')
  redis.call('HSET', k, 'settled', 1)
  if not fields[5] then drop_receipts(k) end
  redis.call('HINCRBY', run, 'is:' .. fields[1], 1)
  if fields[3] and fields[4] and not fields[5] then -- not of parts: the next run plans others
    redis.call('HSET', 'chartfleet:durations', unit, fields[4] - fields[3])
  end
  local open = redis.call('HINCRBY', run, 'open', -1)
  if redis.call('HINCRBY', run .. ':tenants', fields[2], -1) == 0 then
    redis.call('HDEL', run .. ':tenants', fields[2])
    redis.call('HDEL', run .. ':late', fields[2])
    redis.call('SREM', run .. ':admitted', fields[2])
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
    redis.call('HINCRBY', pk, 'pushed', f[5] or 0)
    redis.call('HINCRBY', pk, 'rows', redis.call('HGET', k, 'rows') or 0)
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

-- Removes a batch and its payload from the line. `0 - n`, not `-n`: Redis doesn't accept '-0' as an integer.
local function no_longer_waiting(batch)
  local model = string.match(batch, '^([^|]*)|')
  local payload = run .. ':payload:' .. batch
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
  redis.call('HSET', k, 'state', 'planned', 'tenant', tenant, 'held', held, 'crashes', 0, 'signature', signature)
  redis.call('HSETNX', k, 'attempt', 0)
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
  redis.call('HSET', k, 'state', state, 'reason', reason, 'ended_ms', now_ms())
end
