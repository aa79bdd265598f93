-- The rate limit of one API bucket. KEYS[1]: hash {rate, tokens, at_ms, blocked_ms, cut_ms, throttled_ms}.
-- ARGV: 'acquire' | 'waited' | 'throttled' | 'pause', initial rate, maximum rate,
--       longest wait in ms (acquire), ms since the wait was reserved (waited) or the length of the pause in ms (throttled,
--       pause), the longest pause of all in ms
-- acquire   -> ms to wait before the call; a wait within the bound is reserved, a longer one is not
-- waited    -> 0 if the call may be sent after its wait; otherwise it has to acquire again
-- throttled -> ms until the next call may be sent, at a lower rate
-- pause     -> ms until the next call may be sent, at the same rate
redis.call('HDEL', KEYS[1], '') -- after a deletion, a Redis whose memory is full lets a script finish
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local f = redis.call('HMGET', KEYS[1], 'rate', 'tokens', 'at_ms', 'blocked_ms', 'cut_ms', 'throttled_ms')
local maximum, longest = tonumber(ARGV[3]), tonumber(ARGV[5])
local latest = now + longest

-- What is stored is believed within bounds only: no bucket is paused for longer than the longest pause, whoever wrote that.
local function bounded(value, default, low, high)
  local number = tonumber(value or default) or default
  return number >= low and (number <= high and number or high) or low
end

local rate = bounded(f[1], tonumber(ARGV[2]), math.min(0.2, tonumber(ARGV[2])), math.max(maximum, tonumber(ARGV[2])))
local stored = bounded(f[2], rate, -rate * longest / 1000, rate)
local at = bounded(f[3], now, 0, latest)
local blocked = bounded(f[4], 0, 0, latest)
local cut, throttled = bounded(f[5], 0, 0, latest), bounded(f[6], 0, 0, latest)
local since_cut = math.abs(now - cut)
local passed = (now - at) / 1000
local wait_ms
if blocked ~= (tonumber(f[4] or 0)) then redis.call('HSET', KEYS[1], 'blocked_ms', blocked, 'at_ms', at) end

if ARGV[1] == 'waited' then
  -- A throttle voids what was reserved before it: those waits are as short as the rate was high.
  local is_void = throttled > 0 and throttled >= now - tonumber(ARGV[4])
  return math.floor(math.max(is_void and 1 or 0, blocked - now))
end
if ARGV[1] == 'throttled' then
  -- Many concurrent calls run into the same throttle: it cuts the rate once. A rate that held for a while was nearly
  -- right, so it is cut by less.
  if since_cut > 1000 then
    local held = cut > 0 and since_cut > 10000
    rate = math.max(rate * (held and 0.8 or 0.5), 0.2)
    redis.call('HSET', KEYS[1], 'cut_ms', now)
  end
  blocked = math.max(blocked, now + math.max(tonumber(ARGV[4]), 1000 / rate))
  redis.call('HSET', KEYS[1], 'rate', tostring(rate), 'tokens', '0', 'at_ms', blocked, 'blocked_ms', blocked, 'throttled_ms', now)
  wait_ms = blocked - now
elseif ARGV[1] == 'pause' then
  blocked = math.max(blocked, now + tonumber(ARGV[4]))
  redis.call('HSET', KEYS[1], 'rate', tostring(rate), 'tokens', tostring(stored), 'at_ms', math.max(now, at), 'blocked_ms', blocked)
  wait_ms = blocked - now
else
  -- A rate that was never throttled reaches the maximum in two minutes. After a throttle it doubles in a minute: in
  -- proportion to itself, as a steeper rise would be throttled again every few calls where the API allows little. Without
  -- another throttle within that minute, the API allows more again.
  passed = math.max(passed, 0)
  if cut == 0 then
    rate = rate + maximum / 120 * passed
  else
    rate = rate * 2 ^ (passed / (since_cut > 60000 and 10 or 60))
  end
  rate = math.min(maximum, rate)
  local tokens = math.min(rate, stored + passed * rate) - 1
  wait_ms = math.max(0, blocked - now)
  if tokens < 0 then wait_ms = wait_ms + math.ceil(-tokens / rate * 1000) end
  if wait_ms > tonumber(ARGV[4]) then return math.floor(wait_ms) end
  redis.call('HSET', KEYS[1], 'rate', tostring(rate), 'tokens', tostring(tokens), 'at_ms', math.max(now, at), 'blocked_ms', blocked)
end
redis.call('PEXPIRE', KEYS[1], 3600000)
return math.floor(wait_ms)
