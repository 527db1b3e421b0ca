#!lua flags=allow-oom
-- Stores the checkpoints of claimed batches. Those of lost claims are ignored.
-- KEYS: for each batch its stream and the notes on its claims
-- ARGV: 1 group  2 consumer  3.. for each batch: id, deliveries at the claim, bits of its finished targets, note
-- It may run any number of times.
--- @include claimed-entry
local group, consumer = ARGV[1], ARGV[2]
for i = 1, #KEYS / 2 do
  local stream, notes = KEYS[i * 2 - 1], KEYS[i * 2]
  local id, deliveries, finished, note = unpack(ARGV, i * 4 - 1, i * 4 + 2)
  if is_claimed(stream, group, consumer, id, deliveries) then
    redis.call('HSET', notes, id .. FINISHED, finished, id .. NOTE, note)
  end
end
