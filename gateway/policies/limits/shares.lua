-- Decides all asks of a call at once: all are taken, or none; dark ones aside.
--
-- The rules are those of algorithms.py, in other numbers: times are whole microseconds since 1970,
-- which doubles hold exactly until 2255, and a bucket is kept as what it lacked at a time, so that
-- no large number is added to a small one. What is worth nothing any more expires by itself.
-- Nothing is written for an ask of which nothing is taken, but where what is kept was cut: the
-- server's clock was set back, and each ask would cut it again until the clock is where it was.
--
-- KEYS: one for each ask. ARGV[1]: eight doubles for each: algorithm, limit, period, burst, cost,
-- patience, ends, dark. Returned: five doubles for each: allowed, remaining, resets, retry_after,
-- wait. Before this text stands what sets `now`, in microseconds.

local SLACK = 0.01
local LONGEST_PATIENCE = 60e6
local GRACE = 600e6 -- gateways whose calendar is behind ours still count in the period that ended
local floor, max, min = math.floor, math.max, math.min

local function kept(key)
  local data = redis.call('GET', key)
  if not data then return 0, 0, 0 end
  local a, b, c = struct.unpack('<ddd', data)
  return a, b, c
end

-- Each of these gets an ask and what is kept of it, and returns
--   there: how much there is;
--   retry: microseconds until there is enough;
--   wait: microseconds after which it may be used if it is taken now, where patience allows that;
--   resets(taken): microseconds until all is there again;
--   keep(taken): what is to be kept (a, b, c), and the microseconds until that is worth nothing;
--   cut: whether what is kept lay too far ahead.

local rules = {}

-- Kept: a time, and how long the bucket then took to be full.
rules[1] = function(ask, at, lacked)
  local interval = ask.period / ask.limit
  local size = ask.burst * interval
  local full = max(lacked - (now - at), 0)
  local cut = full > size + LONGEST_PATIENCE
  if cut then full = size end
  local there = max(floor((ask.burst - full / interval) + SLACK), 0)
  local missing = full + ask.need * interval - size
  local wait = nil
  if ask.need > ask.burst then
    missing = full
  elseif missing <= min(ask.patience, LONGEST_PATIENCE) then
    wait = missing
  end
  local function resets(taken) return full + taken * interval end
  local function keep(taken)
    local lacks = resets(taken)
    return now, lacks, 0, lacks
  end
  return there, missing, wait, resets, keep, cut
end

-- Kept: when the window after this one ends, the calls of the one before, and of this one.
rules[2] = function(ask, ends_next, earlier, used)
  local limit, period = ask.limit, ask.period
  local cut = ends_next > now + 2 * period
  if ends_next <= now then
    ends_next, earlier, used = now - now % period + 2 * period, 0, 0
  elseif ends_next - now <= period then
    ends_next, earlier, used = ends_next + period, used, 0
  else
    ends_next = min(ends_next, now + 2 * period)
  end
  local left = ends_next - period - now
  local before = earlier * min(left / period, 1)
  local there = max(floor(limit - used - before + SLACK), 0)
  local room = limit - ask.need
  local retry
  if room < 0 then
    retry = left + (used > 0 and period or 0)
  elseif used <= room then
    retry = left * (1 - (room - used) / before)
  else
    retry = left + period * (1 - room / used)
  end
  local function resets(taken)
    if used + taken > 0 then return left + period end
    return before > 0 and left or 0
  end
  local function keep(taken) return ends_next, earlier, used + taken, ends_next - now end
  return there, retry, nil, resets, keep, cut
end

local function counted(ask, ends, used, name, cut)
  local left = max(ends - now, 0)
  local function resets(taken) return used + taken > 0 and left or 0 end
  local function keep(taken) return ends, used + taken, name, left + (name > 0 and GRACE or 0) end
  return max(floor(ask.limit - used), 0), left, nil, resets, keep, cut
end

-- Kept: when the window ends, and the calls in it.
rules[3] = function(ask, ends, used)
  if ends <= now then
    ends, used = now - now % ask.period + ask.period, 0
  end
  local latest = now + ask.period
  return counted(ask, min(ends, latest), used, 0, ends > latest)
end

-- Kept: when the period ends, the calls in it, and when it ends: its name.
rules[4] = function(ask, ends, used, name)
  if name ~= ask.ends and not (ends > now and name > ask.ends) then
    ends, used, name = ask.ends, 0, ask.ends
  end
  return counted(ask, ends, used, name, false)
end

local asks = {}
for i = 1, #KEYS do
  local kind, limit, period, burst, cost, patience, ends, dark =
    struct.unpack('<dddddddd', ARGV[1], (i - 1) * 64 + 1)
  asks[i] = {
    step = rules[kind],
    limit = limit,
    period = period,
    burst = burst,
    cost = cost,
    need = max(cost, 1),
    patience = patience,
    ends = ends,
    dark = dark ~= 0,
  }
end

-- Decides the asks one after the other: those of one key find what the ones before them left.
-- Returns what is told of each, what is to be kept, by key, and whether one refuses the call.
-- With what was told first, it is the pass after a refusal: only dark ones take, and the others are
-- told what there is without this call.
local function decided(first)
  local told, changed, refused = {}, {}, false
  for i, ask in ipairs(asks) do
    local key = KEYS[i]
    local there, retry, wait, resets, keep, cut
    if changed[key] then
      there, retry, wait, resets, keep, cut = ask.step(ask, unpack(changed[key]))
    else
      there, retry, wait, resets, keep, cut = ask.step(ask, kept(key))
    end
    local enough = ask.need <= there
    local allowed = enough or wait ~= nil
    local taken = 0
    if first and not ask.dark then
      allowed, retry, wait = first[i].allowed, first[i].retry, 0
    elseif allowed then
      taken = ask.cost
    elseif ask.dark then
      taken = min(ask.cost, there)
    else
      refused = true
    end
    if taken > 0 or cut then changed[key] = { keep(taken) } end
    told[i] = {
      allowed = allowed,
      remaining = max(there - taken, 0),
      resets = resets(taken),
      retry = allowed and 0 or retry,
      wait = not enough and wait or 0,
    }
  end
  return told, changed, refused
end

local told, changed, refused = decided()
if refused then told, changed = decided(told) end
for key, state in pairs(changed) do
  local data = struct.pack('<ddd', state[1], state[2], state[3])
  redis.call('SET', key, data, 'PX', max(math.ceil(state[4] / 1000), 1))
end
for i, each in ipairs(told) do
  local allowed = each.allowed and 1 or 0
  local resets, retry, wait = each.resets / 1e6, each.retry / 1e6, each.wait / 1e6
  told[i] = struct.pack('<ddddd', allowed, each.remaining, resets, retry, wait)
end
return table.concat(told)
