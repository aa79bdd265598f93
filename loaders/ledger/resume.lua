-- ARGV: config (JSON), its signature, token of this resumption, cursor ('' at first). Plans again every scope that isn't
-- cleaned, or that lacks details; it continues its count of attempts, while its count of crashes starts again. Returns {next
-- cursor, planner to be published, ...}; tenants are admitted again.
-- In pages, because a run has up to 300,000 units and a script blocks everything else in Redis. The run is paused until the
-- last page is done. A page may be repeated, and an interrupted resumption can be started again.
local token = ARGV[3]
local state, ours = run_state(), redis.call('HGET', run, 'resumed_by') == token
if state == 'running' and ours then return {'0'} end
if state == 'running' or state == 'analysing' or not state then return {state or 'unknown'} end

if ARGV[4] == '' and not ours then
  redis.call('HINCRBY', run, 'round', 1)
  redis.call('HSET', run, 'resumed_by', token, 'open', 0)
  redis.call('HDEL', run, 'rejected_bytes', 'rejected_more')
  for _, tenant in ipairs(redis.call('ZRANGE', run .. ':queue', 0, -1)) do
    redis.call('UNLINK', run .. ':queued:' .. tenant)
  end
  for _, provider in ipairs(redis.call('SMEMBERS', run .. ':providers')) do
    redis.call('UNLINK', run .. ':published:' .. provider)
  end
  redis.call('UNLINK', run .. ':leases', run .. ':later', run .. ':queue', run .. ':admitted', run .. ':cleanups',
    run .. ':tenants', run .. ':late', run .. ':failing', run .. ':rejected') -- a scope with rejected rows is planned again
elseif not ours then
  return {'resumed by another'}
end
local round = redis.call('HGET', run, 'round')

local function take_back(k)
  local was = redis.call('HMGET', k, 'state', 'settled')
  if was[2] then redis.call('HINCRBY', run, 'is:' .. was[1], -1) end
end

local function remove_part(part)
  local k = unit_key(part)
  local attempt = redis.call('HGET', k, 'attempt')
  drop_batches(part)
  take_back(k)
  redis.call('DEL', k, k .. ':receipts')
  if attempt then redis.call('HSET', k, 'attempt', attempt) end
  redis.call('SREM', run .. ':units', part)
  redis.call('HINCRBY', run, 'planned', -1)
end

local function plan_again(unit, tenant, touched)
  local k = unit_key(unit)
  if touched then
    for _, part in ipairs(redis.call('SMEMBERS', k .. ':parts')) do remove_part(part) end
    redis.call('DEL', k .. ':parts')
    drop_batches(unit)
    take_back(k)
    redis.call('HDEL', k, 'settled', 'token', 'bad', 'bad_reason', 'reason', 'outcome', 'incomplete', 'lease_ms', 'given_up',
      'given_up_why', 'waited_ms', 'returned', 'seal', 'receipt')
    for _, field in ipairs(redis.call('HKEYS', k)) do
      if string.sub(field, 1, 4) == 'gap:' then redis.call('HDEL', k, field) end
    end
  end
  redis.call('HSET', k, 'state', 'planned', 'round', round)
  redis.call('HDEL', k, 'crashes', 'suspect', 'pushed', 'parts_open')
  redis.call('HINCRBY', run, 'open', 1)
  redis.call('HINCRBY', run .. ':tenants', tenant, 1)
  if tenant == unit then
    mark_published(unit, now_ms())
  else
    local before = redis.call('HMGET', k, 'started_ms', 'ended_ms')
    redis.call('ZINCRBY', run .. ':queue', -math.max(0, (before[2] or 0) - (before[1] or 0)) / 1000, tenant)
    redis.call('SADD', run .. ':queued:' .. tenant, unit)
  end
end

local page = redis.call('SSCAN', run .. ':units', ARGV[4] == '' and '0' or ARGV[4], 'COUNT', 2000)
local reply = {page[1]}
for _, unit in ipairs(page[2]) do
  local u = redis.call('HMGET', unit_key(unit), 'state', 'parent', 'attempt', 'round', 'incomplete')
  if u[1] and not u[2] and (u[1] ~= 'cleaned' or u[5]) then
    local tenant = tenant_of(unit)
    if u[4] ~= round then plan_again(unit, tenant, (u[3] or '0') ~= '0' or u[1] ~= 'planned') end
    if tenant == unit then reply[#reply + 1] = unit end
  end
end

if page[1] == '0' then
  redis.call('HSET', run, 'state', 'running', 'config', ARGV[1], 'signature', ARGV[2], 'round_ms', now_ms())
  redis.call('HDEL', run, 'barrier_token', 'barrier_lease_ms', 'barrier_ms', 'finished_ms', 'settled_ms', 'report', 'reason',
    'wake_ms', 'stalled_ms', 'swept_ms', 'blocked_by', 'analyses', 'barrier_step')
  redis.call('DEL', run .. ':step_failures', run .. ':tries', run .. ':set_back')
end
return reply
