#!lua flags=allow-oom
-- Ends claimed batches: for each it stores its retries and dead letters, changes the report of its send, and ends the
-- send with the last open batch. Allowed at maxmemory: otherwise a full queue could not drain.
-- KEYS: 1 retries by time  2 bodies of retries  3 number of the last retry  4 dead letters
--       5.. for each stream: stream, notes on its claims; then for each batch: send, exclusions of the send, report of
--       the send
-- ARGV: 1 group  2 consumer  3 seconds to keep an ended send  4 seconds to keep one with dead letters
--       5 number of streams  6.. for each stream: provider, lane, channel; then for each batch: number of its stream,
--       id, deliveries at the claim, kind of targets, uid, attempts with this one, number of retries, number of dead
--       letters, number of changes of the report; then for each change: name of the count, number;
--       for each retry: count, form of the targets (t or d), targets, ambiguous attempts, delay in ms, '1' when its
--       attempts start over; for each dead letter: count, form of the targets, targets, reason
-- Returns for each batch ACKNOWLEDGED; LOST when its claim is lost: nothing is changed then; or the text of the error
-- that only this batch has. A second run returns LOST.
--- @include read-field
--- @include add-batch
--- @include claimed-entry
--- @include open-batches
--- @include wake-workers
local group, consumer, keep_seconds, keep_with_dead_letters_seconds = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local FIRST_KEY, FIRST_ARG, STREAM_KEYS, STREAM_ARGS, BATCH_KEYS = 5, 6, 2, 3, 3
local BATCH_ARGS, CHANGE_ARGS, RETRY_ARGS, LETTER_ARGS = 9, 2, 6, 4
local now = read_clock()
local now_digits = to_digits(now)
-- Channels with new work.
local woken = {}

local function acknowledge(key, at)
  local send, exclusions, report = unpack(KEYS, key, key + BATCH_KEYS - 1)
  local number, id, deliveries, kind, uid, attempts, retries, letters, changes = unpack(ARGV, at, at + BATCH_ARGS - 1)
  local stream, notes = unpack(KEYS, FIRST_KEY + number * STREAM_KEYS, FIRST_KEY + number * STREAM_KEYS + 1)
  local of_stream = FIRST_ARG + number * STREAM_ARGS
  local provider, lane, channel = unpack(ARGV, of_stream, of_stream + STREAM_ARGS - 1)
  if not is_claimed(stream, group, consumer, id, deliveries) then return 'LOST' end
  at = at + BATCH_ARGS
  retries, letters, changes = tonumber(retries), tonumber(letters), tonumber(changes)
  -- Each report has a field `keep`.
  local reported = redis.call('HMGET', report, 'keep', 'first')
  if changes > 0 and reported[1] then
    for change = at, at + (changes - 1) * CHANGE_ARGS, CHANGE_ARGS do
      redis.call('HINCRBY', report, ARGV[change], ARGV[change + 1])
    end
    redis.call('HSET', report, 'last', now_digits, 'first', reported[2] or now_digits)
  end
  at = at + changes * CHANGE_ARGS
  if retries > 0 then
    -- The age of each retry is counted from the first claim of the batch. Counted from the acknowledgement, it would
    -- lack the duration of the attempt.
    local first = redis.call('HGET', notes, id .. FIRST_CLAIM) or now_digits
    for _ = 1, retries do
      local count, form, targets, ambiguous, delay_ms, starts_over = unpack(ARGV, at, at + RETRY_ARGS - 1)
      local batch = make_batch(uid, kind, count, form, targets)
      batch.m = ambiguous
      if starts_over ~= '1' then batch.a, batch.f, batch.r = attempts, first, '1' end
      if add_batch(stream, batch, delay_ms, now, KEYS[1], KEYS[2], KEYS[3]) then woken[channel] = true end
      at = at + RETRY_ARGS
    end
  end

  local state = redis.call('HGET', send, 'state')
  for _ = 1, letters do
    if state and state ~= 'cancelled' then
      local count, form, targets, reason = unpack(ARGV, at, at + LETTER_ARGS - 1)
      redis.call('XADD', KEYS[4], '*', 'u', uid, 'p', provider, 'l', lane, 'k', kind, 'n', count, form, targets,
        'r', reason, 'a', attempts)
      redis.call('HSET', send, 'dead', '1')
    end
    at = at + LETTER_ARGS
  end

  -- Only batches of broadcasts have a key for their lines.
  local entry = lane ~= 'small' and redis.call('XRANGE', stream, id, id)[1]
  local targets_key = entry and read_field(entry[2], 'b')
  if targets_key then redis.call('UNLINK', targets_key) end
  remove_claimed(stream, notes, group, id)
  if state then
    local open = count_open_batches(send, exclusions, report, retries - 1, state == 'fanned', keep_seconds,
      keep_with_dead_letters_seconds)
    if state == 'cancelled' and open == 0 then
      redis.call('HDEL', send, 'recipient')
      end_report(report, now)
    end
  end
  return 'ACKNOWLEDGED'
end

local results = {}
local key, at = FIRST_KEY + ARGV[5] * STREAM_KEYS, FIRST_ARG + ARGV[5] * STREAM_ARGS
while key <= #KEYS do
  -- An error must not fail the batches behind it: repeated together, they would never end.
  local ok, result = pcall(acknowledge, key, at)
  results[#results + 1] = ok and result or type(result) == 'table' and result.err or tostring(result)
  key = key + BATCH_KEYS
  at = at + BATCH_ARGS + ARGV[at + 6] * RETRY_ARGS + ARGV[at + 7] * LETTER_ARGS + ARGV[at + 8] * CHANGE_ARGS
end
for channel in pairs(woken) do wake_workers(channel, 'batches') end
return results
