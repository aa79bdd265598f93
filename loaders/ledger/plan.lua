-- ARGV: planning unit, attempt, token, 'queue' | 'publish', JSON [[unit, tenant, held, expected seconds, signature], ...], end
-- state, reason, outcome (JSON {whole, owner, notes}), seal.
-- Adding the children and ending the planner are one step: a planner that crashes leaves all of its children or none.
local unit, attempt, token, events = ARGV[1], ARGV[2], ARGV[3], {'ok'}
if repeated(unit, attempt, token) then return reply_to_repetition() end
if not running() or not current(unit, attempt, token) then return {'fenced'} end
for _, child in ipairs(cjson.decode(ARGV[5])) do
  local id, tenant = child[1], child[2]
  if add_unit(id, tenant, child[3], child[5]) then
    if ARGV[4] == 'publish' then
      mark_published(id, now_ms())
    elseif redis.call('SISMEMBER', run .. ':admitted', tenant) == 1 then
      mark_published(id, 0) -- the tenant is admitted already: the sweeper publishes the unit in its next round
    else
      redis.call('ZINCRBY', run .. ':queue', -tonumber(child[4]), tenant)
      redis.call('SADD', run .. ':queued:' .. tenant, id)
      add_event(events, 'admit')
    end
  end
end
redis.call('HSET', unit_key(unit), 'outcome', ARGV[8], 'seal', ARGV[9])
end_attempt(unit, ARGV[6], ARGV[7])
advance(unit, events)
return events
