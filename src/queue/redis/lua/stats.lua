#!lua flags=no-writes
-- Counts the work in the queue.
-- KEYS: 1 retries by time  2 scheduled sends  3 dead letters  4 pauses  5 due small sends  6 due broadcasts
--       7.. streams
-- ARGV: 1 group
-- Returns names and values. jobs: batches, retries and due sends; delayed: retries; scheduled: sends that are not due;
-- deadLetters;
-- pauses: rows of provider, reason, ms until a probe or ''; streams, in the order of KEYS: rows of waiting batches,
-- claimed batches, age in ms of the oldest waiting batch.
--- @include clock
--- @include read-fields
local group = ARGV[1]
local now = read_clock()
local now_digits = to_digits(now)

local function count_stream(stream)
  if redis.call('EXISTS', stream) == 0 then return { 0, 0, 0 } end
  local pending, last = 0, '0-0'
  for _, item in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local fields = read_fields(item)
    if fields.name == group then pending, last = fields.pending, fields['last-delivered-id'] end
  end
  local waiting = math.max(0, redis.call('XLEN', stream) - pending)
  local oldest = waiting > 0 and redis.call('XRANGE', stream, '(' .. last, '+', 'COUNT', 1)[1]
  -- The age of the oldest batch, from the time in its entry's id. At least 1 ms, because 0 means that no batch is
  -- waiting.
  local age = oldest and math.max(1, now - string.match(oldest[1], '^%d+')) or 0
  return { waiting, pending, age }
end

local streams = {}
local delayed = redis.call('ZCARD', KEYS[1])
local jobs = delayed
for i = 7, #KEYS do
  local counts = count_stream(KEYS[i])
  streams[#streams + 1] = counts
  jobs = jobs + counts[1] + counts[2]
end
-- The sends of `later` are scheduled or walked. Of the scheduled ones some may be due and not claimed yet.
local later = 0
for i = 5, 6 do
  local due = redis.call('ZCOUNT', KEYS[i], '-inf', now_digits)
  jobs = jobs + due
  later = later + redis.call('ZCARD', KEYS[i]) - due
end
local pauses = {}
local stored = redis.call('HGETALL', KEYS[4])
for i = 1, #stored, 2 do
  local provider, pause = stored[i], cmsgpack.unpack(stored[i + 1])
  pauses[#pauses + 1] = { provider, pause.reason, pause.every and to_digits(math.max(0, pause.at - now)) or '' }
end
return {
  'jobs', jobs,
  'delayed', delayed,
  'scheduled', math.min(redis.call('ZCARD', KEYS[2]), later),
  'deadLetters', redis.call('XLEN', KEYS[3]),
  'pauses', pauses,
  'streams', streams,
}
