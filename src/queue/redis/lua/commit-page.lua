#!lua
-- Writes the batches of a page and moves the cursor of the fan-out. Redis refuses the script as a whole at maxmemory.
-- KEYS: 1 send  2 due sends of its lane  3 exclusions of the send  4 retries by time  5 bodies of retries
--       6 number of the last retry  7 report of the send  8.. stream of each batch
-- ARGV: 1 uid  2 fence  3 expected cursor ('' = start)  4 new cursor ('' = end)  5 lease, ms
--       6 seconds to keep an ended send  7 seconds to keep one with dead letters  8 channel
--       9 number of changes of the report  10.. for each change: name of the count, number; then for each batch:
--       kind of targets, count, form of the targets (t, b or d), targets, delay in ms
-- Returns COMMITTED; LOST when the claim is lost; FULL when the key of a batch's targets does not exist. A second run
-- returns COMMITTED and writes nothing.
--- @include add-batch
--- @include open-batches
--- @include wake-workers
local send, due_sends, exclusions = KEYS[1], KEYS[2], KEYS[3]
local uid, fence, expected, new, lease_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local report, changes = KEYS[7], tonumber(ARGV[9])
local FIRST_STREAM, FIRST_BATCH, BATCH_ARGS = 8, 10 + 2 * changes, 5

local stored = redis.call('HMGET', send, 'state', 'fence', 'cursor')
local state, cursor = stored[1], stored[3] or ''
if stored[2] ~= fence then return 'LOST' end
local is_last = new == ''
if is_last and (state == 'fanned' or state == 'done') then return 'COMMITTED' end
if state ~= 'fanning' then return 'LOST' end
if not is_last and cursor == new then return 'COMMITTED' end
if cursor ~= expected then return 'LOST' end
for at = FIRST_BATCH, #ARGV, BATCH_ARGS do
  -- The key of the target lines is missing: its write was refused at maxmemory, or Redis evicted it.
  if ARGV[at + 2] == 'b' and redis.call('EXISTS', ARGV[at + 3]) == 0 then return 'FULL' end
end

local now = read_clock()
for i = FIRST_STREAM, #KEYS do
  local at = FIRST_BATCH + (i - FIRST_STREAM) * BATCH_ARGS
  local kind, count, form, targets, delay_ms = unpack(ARGV, at, at + BATCH_ARGS - 1)
  if form == 'b' then redis.call('PERSIST', targets) end
  -- The recipient of a send with range batches ('d') is kept until the send ends: the workers of these batches need it.
  if form == 'd' then redis.call('HSET', send, 'ranges', '1') end
  add_batch(KEYS[i], make_batch(uid, kind, count, form, targets), delay_ms, now, KEYS[4], KEYS[5], KEYS[6])
end
count_in_report(report, 10, changes)
local added = #KEYS - FIRST_STREAM + 1
local open = count_open_batches(send, exclusions, report, added, is_last, ARGV[6], ARGV[7])
if not is_last then
  redis.call('HSET', send, 'cursor', new)
  redis.call('ZADD', due_sends, 'XX', to_digits(now + lease_ms), uid)
else
  redis.call('ZREM', due_sends, uid)
  redis.call('HDEL', send, 'cursor')
  if redis.call('HEXISTS', send, 'ranges') == 0 then redis.call('HDEL', send, 'recipient') end
  if open > 0 then redis.call('HSET', send, 'state', 'fanned') end
end
wake_workers(ARGV[8])
return 'COMMITTED'
