-- The claim of a batch is the pending entry of its stream entry in the consumer group. The consumer that owns the
-- pending entry and its number of deliveries are the fence: the next claim changes at least one of them.
--- @include claim-notes

-- The ms since the lease of a claim was last extended; nil if the consumer has lost its claim of the entry. It holds
-- the claim while it owns the pending entry and the number of deliveries is still `deliveries`.
local function idle_of_claim(stream, group, consumer, id, deliveries)
  local pending = redis.pcall('XPENDING', stream, group, id, id, 1)
  -- The reply of XPENDING is an error if the group does not exist: Redis lost its data after the claim.
  if pending.err or #pending == 0 then return nil end
  local owner, idle_ms, delivered = pending[1][2], pending[1][3], pending[1][4]
  return owner == consumer and delivered == tonumber(deliveries) and idle_ms or nil
end

-- Whether the consumer still holds its claim of the entry.
local function is_claimed(stream, group, consumer, id, deliveries)
  return idle_of_claim(stream, group, consumer, id, deliveries) ~= nil
end

-- Removes a claimed entry from its stream and its group, with the notes on the claim.
local function remove_claimed(stream, notes, group, id)
  redis.call('XACK', stream, group, id)
  redis.call('XDEL', stream, id)
  redis.call('HDEL', notes, id .. FIRST_CLAIM, id .. FINISHED, id .. NOTE)
end
