#!lua flags=no-writes
-- KEYS: 1 pauses
-- Returns for each: provider, reason, ms until a probe or ''.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local all = redis.call('HGETALL', KEYS[1])
local pauses = {}
for i = 1, #all, 2 do
  local pause = cmsgpack.unpack(all[i + 1])
  pauses[#pauses + 1] = { all[i], pause.reason, pause.every and string.format('%.0f', math.max(0, pause.at - now)) or '' }
end
return pauses
