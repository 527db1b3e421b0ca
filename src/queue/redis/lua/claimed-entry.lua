-- The claim of a stream's entry is its pending entry in the consumer group. Its owner and its number of deliveries are
-- the fence: the next claim changes at least one of them.
--- @include claim-notes

-- Returns the ms since the lease of a claim was last extended; nil when the consumer no longer holds the claim that it
-- got with the delivery of this number.
local function idle_of_claim(stream, group, consumer, id, deliveries)
  local pending = redis.pcall('XPENDING', stream, group, id, id, 1)
  -- The reply is an error when the group does not exist: Redis lost its data after the claim.
  if pending.err or #pending == 0 then return nil end
  local owner, idle_ms, delivered = pending[1][2], pending[1][3], pending[1][4]
  return owner == consumer and delivered == tonumber(deliveries) and idle_ms or nil
end

-- Whether the consumer still holds the claim.
local function is_claimed(stream, group, consumer, id, deliveries)
  return idle_of_claim(stream, group, consumer, id, deliveries) ~= nil
end

-- Removes an entry, its claim and the notes on it.
local function remove_claimed(stream, notes, group, id)
  redis.call('XACK', stream, group, id)
  redis.call('XDEL', stream, id)
  redis.call('HDEL', notes, id .. FIRST_CLAIM, id .. FINISHED)
end
