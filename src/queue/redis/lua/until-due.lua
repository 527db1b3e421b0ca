#!lua flags=no-writes
-- Finds out when work of a lane becomes due without an announcement.
-- KEYS: 1 due sends of the lane  2 retries by time  3 pauses  4.. streams of batches
-- ARGV: 1 group  2 ms until the next search for abandoned batches  3.. provider of each stream
-- Returns the ms until then, 0 if there is due work, -1 if there is none.
--- @include clock
local now = read_clock()
local due

local function note(at)
  if not due or at < due then due = at end
end

for i = 1, 2 do
  local first = redis.call('ZRANGE', KEYS[i], 0, 0, 'WITHSCORES')
  if first[2] then note(tonumber(first[2])) end
end
for i = 4, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 1 then
    local pending = redis.pcall('XPENDING', KEYS[i], ARGV[1])
    if not pending.err and pending[1] > 0 then note(now + ARGV[2]) end
    local pause = redis.call('HGET', KEYS[3], ARGV[i - 1])
    local every = pause and cmsgpack.unpack(pause).every
    if every and redis.call('XLEN', KEYS[i]) > 0 then note(cmsgpack.unpack(pause).at) end
  end
end
return due and math.max(0, due - now) or -1
