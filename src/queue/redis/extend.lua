#!lua flags=allow-oom
-- Extends the leases of batches that are still ours, and notes what of them is settled where that is given.
-- KEYS: for each batch its stream and the notes on its claims
-- ARGV: 1 group  2 consumer  then for each batch: id, deliveries at the claim, settled bits ('' = leave the note)
-- Returns the places (from 1) of those that are lost. It may run any number of times.
local lost = {}
for i = 1, #KEYS / 2 do
  local stream, id = KEYS[i * 2 - 1], ARGV[i * 3]
  local pending = redis.pcall('XPENDING', stream, ARGV[1], id, id, 1)
  if pending.err or #pending == 0 or pending[1][2] ~= ARGV[2] or pending[1][4] ~= tonumber(ARGV[i * 3 + 1]) then
    lost[#lost + 1] = i
  else
    -- JUSTID leaves the number of deliveries, which is the fence, as it is.
    redis.call('XCLAIM', stream, ARGV[1], ARGV[2], 0, id, 'JUSTID')
    if ARGV[i * 3 + 2] ~= '' then redis.call('HSET', KEYS[i * 2], id .. 's', ARGV[i * 3 + 2]) end
  end
end
return lost
