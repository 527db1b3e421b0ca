#!lua
-- Stores a send with its report, and its batches if they are given. Redis refuses the script as a whole at maxmemory.
-- KEYS: 1 send  2 due sends of its lane  3 scheduled sends  4 exclusions of the send  5 retries by time
--       6 bodies of retries  7 number of the last retry  8 report  9 index of reports  10.. stream of each batch
-- ARGV: 1 uid  2 request hash  3 lane  4 state  5 recipient ('' = none)  6 content ('' = none)
--       7 send at, Unix ms ('' = now)  8 expire at, Unix ms ('' = never)  9 seconds to keep an ended send  10 channel
--       11 deadline, Unix ms  12 uid of its rows in analytics  13 subject of the report
--       14 seconds to keep the report after the end of the send  15 number of changes of the report
--       16.. for each change: name of the count, number; then for each batch: kind of targets, count, form of the
--       targets (t or d), targets, delay in ms
-- Returns ACCEPTED; DUPLICATE when the same request is stored under the uid, CONFLICT when another one is. A send that
-- was cancelled before it arrived stays cancelled. A second run returns DUPLICATE and changes nothing.
--- @include refuse-late
--- @include add-batch
--- @include report
--- @include wake-workers
local send, due_sends, scheduled, exclusions = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local uid, hash, state, recipient, content = ARGV[1], ARGV[2], ARGV[4], ARGV[5], ARGV[6]
local send_at, keep_seconds = ARGV[7], ARGV[9]
local report, changes = KEYS[8], tonumber(ARGV[15])
local FIRST_STREAM, FIRST_BATCH, BATCH_ARGS = 10, 16 + 2 * changes, 5

refuse_late(ARGV[11])

local known = redis.call('HMGET', send, 'state', 'hash')
if known[2] then return known[2] == hash and 'DUPLICATE' or 'CONFLICT' end
local now = read_clock()
-- An earlier send of this uid may have left a report.
redis.call('DEL', report)
redis.call('HSET', report, 'accepted', to_digits(now), 'send', send_at, 'expire', ARGV[8], 'analytics', ARGV[12],
  'subject', ARGV[13], 'keep', ARGV[14])
redis.call('ZADD', KEYS[9], to_digits(now), uid)
if known[1] == 'cancelled' then
  redis.call('HSET', send, 'hash', hash)
  redis.call('EXPIRE', send, keep_seconds)
  redis.call('HSET', report, 'cancelled', '1')
  end_report(report, now)
  return 'ACCEPTED'
end

count_in_report(report, 16, changes)
for i = FIRST_STREAM, #KEYS do
  local at = FIRST_BATCH + (i - FIRST_STREAM) * BATCH_ARGS
  local kind, count, form, targets, delay_ms = unpack(ARGV, at, at + BATCH_ARGS - 1)
  add_batch(KEYS[i], make_batch(uid, kind, count, form, targets), delay_ms, now, KEYS[5], KEYS[6], KEYS[7])
end
redis.call('HSET', send, 'state', state, 'hash', hash, 'lane', ARGV[3], 'expire', ARGV[8], 'fence', '0',
  'open', #KEYS - FIRST_STREAM + 1)
if ARGV[12] ~= uid then redis.call('HSET', send, 'analytics', ARGV[12]) end
if recipient ~= '' then redis.call('HSET', send, 'recipient', recipient) end
if content ~= '' then redis.call('HSET', send, 'content', content) end
-- Exclusions that arrived before the send have set an expiry on the send's key and on their own. The send removes both.
redis.call('PERSIST', send)
redis.call('PERSIST', exclusions)
if state == 'waiting' then
  if send_at ~= '' and tonumber(send_at) > now then
    redis.call('ZADD', due_sends, send_at, uid)
    redis.call('ZADD', scheduled, send_at, uid)
  else
    redis.call('ZADD', due_sends, to_digits(now), uid)
  end
elseif state == 'done' then
  redis.call('EXPIRE', send, keep_seconds)
  redis.call('EXPIRE', exclusions, keep_seconds)
  end_report(report, now)
end
wake_workers(ARGV[10])
return 'ACCEPTED'
