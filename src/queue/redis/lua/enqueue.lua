#!lua
-- Stores sends with their reports, and with their batches if they are given. At maxmemory Redis refuses the script as a
-- whole.
-- KEYS: 1 due small sends  2 due broadcasts  3 scheduled sends  4 retries by time  5 bodies of retries
--       6 number of the last retry  7 index of reports; then for each send: send, its exclusions, its report, and the
--       stream of each of its batches
-- ARGV: 1 deadline, Unix ms  2 seconds to keep an ended send  3 seconds to keep a report after the end of its send;
--       then for each send: uid, request hash, lane, state, recipient ('' = none), content ('' = none),
--       send at, Unix ms ('' = now), expire at, Unix ms ('' = never), channel, uid of its rows in analytics,
--       subject of the report, number of counts of the report, number of batches;
--       for each count: name, number; for each batch: kind of targets, count, form of the targets (t or d), targets,
--       delay in ms
-- Returns for each send ACCEPTED; DUPLICATE when the same request is stored under the uid, CONFLICT when another one
-- is. A send that was cancelled before it arrived stays cancelled. A second run returns DUPLICATE and changes nothing.
--- @include refuse-late
--- @include add-batch
--- @include report
--- @include wake-workers
local FIRST_KEY, SEND_KEYS, FIRST_ARG, SEND_ARGS, BATCH_ARGS = 8, 3, 4, 13, 5
local keep_seconds, keep_report_seconds = ARGV[2], ARGV[3]

refuse_late(ARGV[1])
local now = read_clock()

local function add(list, name, value)
  list[#list + 1], list[#list + 2] = name, value
end

-- Stores a send from its first key and argument on. Returns the word of the reply.
local function store_send(key, arg)
  local send, exclusions, report = KEYS[key], KEYS[key + 1], KEYS[key + 2]
  local uid, hash, lane, state, recipient, content, send_at, expire_at, _, analytics, subject, counts, batches =
    unpack(ARGV, arg, arg + SEND_ARGS - 1)
  local known = redis.call('HMGET', send, 'state', 'hash')
  if known[2] then return known[2] == hash and 'DUPLICATE' or 'CONFLICT' end
  local fields = { 'accepted', to_digits(now), 'subject', subject, 'keep', keep_report_seconds }
  if send_at ~= '' then add(fields, 'send', send_at) end
  if expire_at ~= '' then add(fields, 'expire', expire_at) end
  if analytics ~= uid then add(fields, 'analytics', analytics) end
  local is_cancelled = known[1] == 'cancelled'
  local first_batch = arg + SEND_ARGS + 2 * counts
  if not is_cancelled then
    for i = arg + SEND_ARGS, first_batch - 1 do fields[#fields + 1] = ARGV[i] end
  end
  -- An earlier send of this uid may have left a report.
  redis.call('DEL', report)
  redis.call('HSET', report, unpack(fields))
  local is_scheduled = not is_cancelled and state == 'waiting' and send_at ~= '' and tonumber(send_at) > now
  -- A scheduled send is not in the index of reports, which upkeep reads, until it is claimed or cancelled.
  if is_scheduled then
    redis.call('ZREM', KEYS[7], uid)
    redis.call('ZADD', KEYS[3], to_digits(now), uid)
  else
    redis.call('ZADD', KEYS[7], to_digits(now), uid)
  end
  if is_cancelled then
    redis.call('HSET', send, 'hash', hash)
    redis.call('EXPIRE', send, keep_seconds)
    redis.call('HSET', report, 'cancelled', '1')
    end_report(report, now)
    return 'ACCEPTED'
  end

  for i = 0, batches - 1 do
    local at = first_batch + i * BATCH_ARGS
    local kind, count, form, targets, delay_ms = unpack(ARGV, at, at + BATCH_ARGS - 1)
    local batch = make_batch(uid, kind, count, form, targets)
    add_batch(KEYS[key + SEND_KEYS + i], batch, delay_ms, now, KEYS[4], KEYS[5], KEYS[6])
  end
  -- A number that is absent is 0.
  local stored = { 'state', state, 'hash', hash }
  if batches ~= '0' then add(stored, 'open', batches) end
  if expire_at ~= '' then add(stored, 'expire', expire_at) end
  if analytics ~= uid then add(stored, 'analytics', analytics) end
  if recipient ~= '' then add(stored, 'recipient', recipient) end
  if content ~= '' then add(stored, 'content', content) end
  redis.call('HSET', send, unpack(stored))
  if known[1] then
    -- Exclusions that arrived before the send have set an expiry on the send's key and on their own.
    redis.call('PERSIST', send)
    redis.call('PERSIST', exclusions)
  end
  if state == 'waiting' then
    local due = KEYS[lane == 'small' and 1 or 2]
    redis.call('ZADD', due, is_scheduled and send_at or to_digits(now), uid)
  elseif state == 'done' then
    redis.call('EXPIRE', send, keep_seconds)
    redis.call('EXPIRE', exclusions, keep_seconds)
    end_report(report, now)
  end
  return 'ACCEPTED'
end

local replies = {}
-- The kind of the new work by channel.
local channels = {}
local key, arg = FIRST_KEY, FIRST_ARG
while key <= #KEYS do
  local reply = store_send(key, arg)
  replies[#replies + 1] = reply
  local state, channel, counts, batches = ARGV[arg + 3], ARGV[arg + 8], ARGV[arg + 11], ARGV[arg + 12]
  if reply == 'ACCEPTED' then
    local kind = state ~= 'waiting' and 'batches' or batches == '0' and 'sends' or ''
    channels[channel] = (channels[channel] or kind) == kind and kind or ''
  end
  key = key + SEND_KEYS + batches
  arg = arg + SEND_ARGS + 2 * counts + BATCH_ARGS * batches
end
for channel, kind in pairs(channels) do wake_workers(channel, kind) end
return replies
