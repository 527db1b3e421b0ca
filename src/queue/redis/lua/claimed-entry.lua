-- The claim of a batch is the pending entry of its stream entry in the consumer group. The consumer that owns the
-- pending entry and its number of deliveries are the fence: the next claim changes at least one of them.
--- @include claim-notes

-- Whether the consumer still holds its claim of the entry: it owns the pending entry, and the number of deliveries is
-- still `deliveries`.
local function is_claimed(stream, group, consumer, id, deliveries)
  local pending = redis.pcall('XPENDING', stream, group, id, id, 1)
  -- The reply of XPENDING is an error if the group does not exist: Redis lost its data after the claim.
  if pending.err or #pending == 0 then return false end
  return pending[1][2] == consumer and pending[1][4] == tonumber(deliveries)
end

-- Removes a claimed entry from its stream and its group, with the notes on the claim.
local function remove_claimed(stream, notes, group, id)
  redis.call('XACK', stream, group, id)
  redis.call('XDEL', stream, id)
  redis.call('HDEL', notes, id .. FIRST_CLAIM, id .. FINISHED)
end
