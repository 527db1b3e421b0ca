#!lua flags=allow-oom
-- Releases a claimed batch as if it had not been claimed. The batch gets a new stream entry, because the number of an
-- entry's deliveries can't be decreased.
-- KEYS: 1 stream  2 notes on its claims
-- ARGV: 1 group  2 consumer  3 id  4 deliveries at the claim  5 attempts before this one  6 channel
-- A second run finds the claim lost and changes nothing.
--- @include read-fields
--- @include write-batch
--- @include claimed-entry
--- @include wake-workers
local stream, notes = KEYS[1], KEYS[2]
local group, consumer, id, deliveries, attempts = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if not is_claimed(stream, group, consumer, id, deliveries) then return end
local entry = redis.call('XRANGE', stream, id, id)[1]
if not entry then return end
local batch = read_fields(entry[2])
batch.a = attempts
batch.f = attempts ~= '0' and (redis.call('HGET', notes, id .. FIRST_CLAIM) or batch.f) or ''
local new_id = write_batch(stream, batch)
-- The checkpoint moves to the new entry: targets that an earlier claim finished must not be sent again.
local finished = redis.call('HMGET', notes, id .. FINISHED, id .. NOTE)
if finished[1] then
  redis.call('HSET', notes, new_id .. FINISHED, finished[1], new_id .. NOTE, finished[2] or '')
end
remove_claimed(stream, notes, group, id)
wake_workers(ARGV[6], 'batches')
