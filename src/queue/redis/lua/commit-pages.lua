#!lua
-- Writes the batches of pages and moves the cursors of their walks. Redis refuses the script as a whole at maxmemory.
-- KEYS: 1 retries by time  2 bodies of retries  3 number of the last retry; then for each page: send, due sends of its
--       lane, exclusions of the send, report of the send, stream of each batch
-- ARGV: 1 lease, ms  2 seconds to keep an ended send  3 seconds to keep one with dead letters; then for each page: uid,
--       fence, expected cursor ('' = start), new cursor ('' = end), channel, number of changes of the report, number of
--       batches; for each change: name of the count, number; for each batch: kind of targets, count, form of the targets
--       (t, b or d), targets, delay in ms
-- Returns for each page COMMITTED; LOST when the claim is lost; FULL when the key of a batch's targets does not exist. A
-- second run returns COMMITTED and writes nothing.
--- @include add-batch
--- @include open-batches
--- @include wake-workers
local FIRST_KEY, PAGE_KEYS, FIRST_ARG, PAGE_ARGS, BATCH_ARGS = 4, 4, 4, 7, 5
local lease_ms, keep_seconds, keep_dead_seconds = ARGV[1], ARGV[2], ARGV[3]
local now = read_clock()

-- Commits a page from its first key and argument on. Returns the word of the reply, and whether it has written.
local function commit(key, arg)
  local send, due_sends, exclusions, report = unpack(KEYS, key, key + PAGE_KEYS - 1)
  local uid, fence, expected, new, _, changes, batches = unpack(ARGV, arg, arg + PAGE_ARGS - 1)
  local first_batch = arg + PAGE_ARGS + 2 * changes
  local stored = redis.call('HMGET', send, 'state', 'fence', 'cursor', 'ranges')
  local state, cursor, has_ranges = stored[1], stored[3] or '', stored[4]
  if stored[2] ~= fence then return 'LOST' end
  local is_last = new == ''
  if is_last and (state == 'fanned' or state == 'done') then return 'COMMITTED' end
  if state ~= 'fanning' then return 'LOST' end
  if not is_last and cursor == new then return 'COMMITTED' end
  if cursor ~= expected then return 'LOST' end
  for i = 0, batches - 1 do
    local at = first_batch + i * BATCH_ARGS
    -- The key of the target lines is missing: its write was refused at maxmemory, or Redis evicted it.
    if ARGV[at + 2] == 'b' and redis.call('EXISTS', ARGV[at + 3]) == 0 then return 'FULL' end
  end

  for i = 0, batches - 1 do
    local at = first_batch + i * BATCH_ARGS
    local kind, count, form, targets, delay_ms = unpack(ARGV, at, at + BATCH_ARGS - 1)
    if form == 'b' then redis.call('PERSIST', targets) end
    -- The recipient of a send with range batches ('d') is kept until the send ends: the workers of these batches need
    -- it.
    if form == 'd' and not has_ranges then
      has_ranges = '1'
      redis.call('HSET', send, 'ranges', '1')
    end
    local batch = make_batch(uid, kind, count, form, targets)
    add_batch(KEYS[key + PAGE_KEYS + i], batch, delay_ms, now, KEYS[1], KEYS[2], KEYS[3])
  end
  count_in_report(report, arg + PAGE_ARGS, tonumber(changes))
  local open = count_open_batches(send, exclusions, report, batches, is_last, keep_seconds, keep_dead_seconds)
  if not is_last then
    redis.call('HSET', send, 'cursor', new)
    redis.call('ZADD', due_sends, 'XX', to_digits(now + lease_ms), uid)
  else
    redis.call('ZREM', due_sends, uid)
    if has_ranges then redis.call('HDEL', send, 'cursor')
    else redis.call('HDEL', send, 'cursor', 'recipient') end
    if open > 0 then redis.call('HSET', send, 'state', 'fanned') end
  end
  return 'COMMITTED', true
end

local replies, channels = {}, {}
local key, arg = FIRST_KEY, FIRST_ARG
while key <= #KEYS do
  local reply, has_written = commit(key, arg)
  replies[#replies + 1] = reply
  if has_written then channels[ARGV[arg + 4]] = true end
  local changes, batches = ARGV[arg + 5], ARGV[arg + 6]
  key = key + PAGE_KEYS + batches
  arg = arg + PAGE_ARGS + 2 * changes + BATCH_ARGS * batches
end
for channel in pairs(channels) do wake_workers(channel, 'batches') end
return replies
