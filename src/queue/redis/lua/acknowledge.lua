#!lua flags=allow-oom
-- Removes a claimed batch, stores its retries and dead letters, changes the report of its send, and ends the send with
-- the last open batch. Allowed at maxmemory: otherwise a full queue could not drain.
-- KEYS: 1 stream  2 notes on its claims  3 send  4 exclusions of the send  5 retries by time  6 bodies of retries
--       7 number of the last retry  8 dead letters  9 report of the send
-- ARGV: 1 group  2 consumer  3 id  4 deliveries at the claim  5 provider  6 lane  7 kind of targets  8 uid
--       9 attempts with this one  10 seconds to keep an ended send  11 seconds to keep one with dead letters
--       12 channel  13 number of retries  14 number of changes of the report
--       15.. for each change: name of the count, number; then for each retry: count, form of the targets (t or d),
--       targets, ambiguous attempts, delay in ms, '1' when its attempts start over; then for each dead letter: count,
--       form of the targets, targets, reason
-- Returns ACKNOWLEDGED, or LOST when the claim is lost: nothing is changed then. A second run returns LOST.
--- @include read-field
--- @include add-batch
--- @include claimed-entry
--- @include open-batches
--- @include wake-workers
local stream, notes, send, exclusions = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local group, consumer, id, deliveries = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local kind, uid, attempts, channel = ARGV[7], ARGV[8], ARGV[9], ARGV[12]
local report, retries, changes = KEYS[9], tonumber(ARGV[13]), tonumber(ARGV[14])
local RETRY_ARGS, LETTER_ARGS = 6, 4

if not is_claimed(stream, group, consumer, id, deliveries) then return 'LOST' end
local now = read_clock()
-- The age of each retry is counted from the first claim of the batch. Counted from the acknowledgement, it would lack
-- the duration of the attempt.
local first = redis.call('HGET', notes, id .. FIRST_CLAIM) or to_digits(now)
local at = count_in_report(report, 15, changes)
if changes > 0 and redis.call('EXISTS', report) == 1 then
  redis.call('HSETNX', report, 'first', to_digits(now))
  redis.call('HSET', report, 'last', to_digits(now))
end
for _ = 1, retries do
  local count, form, targets, ambiguous, delay_ms, starts_over = unpack(ARGV, at, at + RETRY_ARGS - 1)
  local batch = make_batch(uid, kind, count, form, targets)
  batch.m = ambiguous
  if starts_over ~= '1' then batch.a, batch.f, batch.r = attempts, first, '1' end
  if add_batch(stream, batch, delay_ms, now, KEYS[5], KEYS[6], KEYS[7]) then wake_workers(channel) end
  at = at + RETRY_ARGS
end

local state = redis.call('HGET', send, 'state')
for letter = at, #ARGV, LETTER_ARGS do
  if state and state ~= 'cancelled' then
    local count, form, targets, reason = unpack(ARGV, letter, letter + LETTER_ARGS - 1)
    redis.call('XADD', KEYS[8], '*', 'u', uid, 'p', ARGV[5], 'l', ARGV[6], 'k', kind, 'n', count, form, targets,
      'r', reason, 'a', attempts)
    redis.call('HSET', send, 'dead', '1')
  end
end

local entry = redis.call('XRANGE', stream, id, id)[1]
local targets_key = entry and read_field(entry[2], 'b')
if targets_key then redis.call('UNLINK', targets_key) end
remove_claimed(stream, notes, group, id)
if state then
  local open = count_open_batches(send, exclusions, report, retries - 1, state == 'fanned', ARGV[10], ARGV[11])
  if state == 'cancelled' and open == 0 then
    redis.call('HDEL', send, 'recipient')
    end_report(report, now)
  end
end
return 'ACKNOWLEDGED'
