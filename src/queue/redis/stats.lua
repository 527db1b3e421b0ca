#!lua flags=no-writes
-- Looks at the queue: how much is in it, and how long the oldest batch has waited.
-- KEYS: 1 retries by time  2 scheduled sends  3 dead letters  4 pauses  5 due small sends  6 due broadcasts  7.. streams
-- ARGV: 1 group
-- Returns: batches and due sends in all (what is for later is in nobody's way), sends for later, dead letters;
-- pauses: provider, reason, ms until a probe or ''; streams in their order: waiting, in flight, age in ms of the oldest
-- that waits.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local now_text = string.format('%.0f', now)

local function look(stream)
  if redis.call('EXISTS', stream) == 0 then return { 0, 0, 0 } end
  local pending, last = 0, '0-0'
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local fields = {}
    for i = 1, #group, 2 do fields[group[i]] = group[i + 1] end
    if fields.name == ARGV[1] then pending, last = fields.pending, fields['last-delivered-id'] end
  end
  local waiting = math.max(0, redis.call('XLEN', stream) - pending)
  local oldest = waiting > 0 and redis.call('XRANGE', stream, '(' .. last, '+', 'COUNT', 1)[1]
  -- The first half of an entry's id is the time at which it was written; what waits has waited, be it for less than 1 ms.
  local age = oldest and math.max(1, now - string.match(oldest[1], '^%d+')) or 0
  return { waiting, pending, age }
end

local streams, jobs = {}, redis.call('ZCARD', KEYS[1])
for i = 7, #KEYS do
  streams[i - 6] = look(KEYS[i])
  jobs = jobs + streams[i - 6][1] + streams[i - 6][2]
end
for i = 5, 6 do jobs = jobs + redis.call('ZCOUNT', KEYS[i], '-inf', now_text) end
local pauses = {}
local all = redis.call('HGETALL', KEYS[4])
for i = 1, #all, 2 do
  local pause = cmsgpack.unpack(all[i + 1])
  pauses[#pauses + 1] = { all[i], pause.reason, pause.every and string.format('%.0f', math.max(0, pause.at - now)) or '' }
end
return { jobs, redis.call('ZCOUNT', KEYS[2], '(' .. now_text, '+inf'), redis.call('XLEN', KEYS[3]), pauses, streams }
