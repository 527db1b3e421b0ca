-- Grants the asks of up to 1,000 keys that all policies allow. src/limits/rate-limiter.ts describes the contract.
--
-- KEYS      the values of the limited keys, all in one slot
-- ARGV[1]   number of policies
-- ARGV[..]  for each policy its rate and its interval in ms
-- ARGV[..]  for each key the ids of its asks in one string, ID bytes each, no id twice
--
-- Returns a flat list: the time of the call, then for each key the ms until its next grant (used only if one of its
-- asks was limited) and for each of its asks the time of its grant, 0 if it was not granted. A second run grants the
-- same asks without new grants.
--
-- A value has a header of KEEP_COUNT and KEEP_MS (the number of grants and the time that the widest policies of the key
-- need), then the times of its grants, ascending, then their ids. It expires when its last grant is older than KEEP_MS.
-- It is written only when a grant is added or the header changes. Its parts have fixed widths, so that a policy reads
-- the one grant that it depends on: a key with a thousand grants costs little more than a key with three.

local HEADER, TIME, ID = 8, 6, 10

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local policies = tonumber(ARGV[1])
local rates, intervals = {}, {}
local widest_rate, widest_interval = 0, 0
for policy = 1, policies do
  rates[policy] = tonumber(ARGV[2 * policy])
  intervals[policy] = tonumber(ARGV[2 * policy + 1])
  widest_rate = math.max(widest_rate, rates[policy])
  widest_interval = math.max(widest_interval, intervals[policy])
end
local first_asks = 2 * policies + 1

local function time_at(times, place)
  return (struct.unpack('>I6', times, (place - 1) * TIME + 1))
end

-- Returns the place of an id in the list `ids`. A match that begins inside of another id does not count.
local function find_id(ids, id)
  local from = 1
  while true do
    local at = string.find(ids, id, from, true)
    if not at then return nil end
    if (at - 1) % ID == 0 then return (at - 1) / ID + 1 end
    from = at + 1
  end
end

-- Replaces times of grants that are in the future, because the clock was set back, by the current time.
local function clamp_to_now(times)
  local clamped = {}
  for place = 1, #times / TIME do
    clamped[place] = struct.pack('>I6', math.min(time_at(times, place), now))
  end
  return table.concat(clamped)
end

-- Reads a key's value. Returns the times and the ids of its grants without the forgotten ones, the new KEEP_COUNT and
-- KEEP_MS of its header, and whether the value has to be written even if no grant is added.
local function read_value(value)
  if not value then return '', '', widest_rate, widest_interval, false end
  local keep_count, keep_ms = struct.unpack('>I2I6', value)
  local count = (#value - HEADER) / (TIME + ID)
  local times = string.sub(value, HEADER + 1, HEADER + count * TIME)
  local ids = string.sub(value, HEADER + count * TIME + 1)
  local is_changed = keep_count < widest_rate or keep_ms < widest_interval or time_at(times, count) > now
  if time_at(times, count) > now then times = clamp_to_now(times) end
  local gone = math.max(0, count - keep_count)
  while gone < count and time_at(times, gone + 1) <= now - keep_ms do gone = gone + 1 end
  if gone == count then return '', '', widest_rate, widest_interval, false end
  return string.sub(times, gone * TIME + 1), string.sub(ids, gone * ID + 1),
    math.max(keep_count, widest_rate), math.max(keep_ms, widest_interval), is_changed
end

-- Returns the ms until all policies allow one more grant; 0 or less if they do now. A policy allows it as soon as the
-- `rate`th last grant is older than the policy's interval.
local function wait_for_room(times)
  local count = #times / TIME
  local wait = 0
  for policy = 1, policies do
    local place = count + 1 - rates[policy]
    if place > 0 then wait = math.max(wait, time_at(times, place) + intervals[policy] - now) end
  end
  return wait
end

local packed_now = struct.pack('>I6', now)
local answer = { now }
local values = redis.call('MGET', unpack(KEYS))

for index, key in ipairs(KEYS) do
  local times, ids, keep_count, keep_ms, is_changed = read_value(values[index])
  local asked = ARGV[first_asks + index]
  local wait_slot = #answer + 1
  answer[wait_slot] = 0
  local wait = wait_for_room(times)
  for from = 1, #asked, ID do
    local id = string.sub(asked, from, from + ID - 1)
    local place = find_id(ids, id)
    if place then
      answer[#answer + 1] = time_at(times, place)
    elseif wait > 0 then
      answer[#answer + 1] = 0
    else
      times = times .. packed_now
      ids = ids .. id
      is_changed = true
      answer[#answer + 1] = now
      -- After the last ask of a key the wait is not computed again, because it is not used.
      if from + ID <= #asked then wait = wait_for_room(times) end
    end
  end
  answer[wait_slot] = wait
  if is_changed then
    local expire_ms = math.max(1, time_at(times, #times / TIME) + keep_ms - now)
    redis.call('SET', key, struct.pack('>I2I6', keep_count, keep_ms) .. times .. ids, 'PX', expire_ms)
  end
end

return answer
