#!lua flags=allow-oom
-- Extends the leases of claimed batches, and stores their checkpoints where they are given.
-- KEYS: for each batch its stream and the notes on its claims
-- ARGV: 1 group  2 consumer
--       3.. for each batch: id, deliveries at the claim, bits of its finished targets ('' = keep the last checkpoint)
-- Returns the positions of batches with lost claims, from 1. It may run any number of times.
--- @include claimed-entry
local group, consumer = ARGV[1], ARGV[2]
local lost = {}
for i = 1, #KEYS / 2 do
  local stream, notes = KEYS[i * 2 - 1], KEYS[i * 2]
  local id, deliveries, finished = ARGV[i * 3], ARGV[i * 3 + 1], ARGV[i * 3 + 2]
  if is_claimed(stream, group, consumer, id, deliveries) then
    -- XCLAIM with JUSTID does not increase the number of deliveries, which is part of the fence.
    redis.call('XCLAIM', stream, group, consumer, 0, id, 'JUSTID')
    if finished ~= '' then redis.call('HSET', notes, id .. FINISHED, finished) end
  else
    lost[#lost + 1] = i
  end
end
return lost
