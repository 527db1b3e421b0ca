#!lua flags=allow-oom
-- Confirms the claims of batches: extends the leases that are due, and reads cancellations and exclusions.
-- KEYS: for each batch its stream, its send, and the exclusions of the send
-- ARGV: 1 group  2 consumer  3 ms after which a lease is extended again
--       4.. for each batch: id, deliveries at the claim
-- Returns for each batch LOST, CANCELLED, EXCLUDED (single targets are cancelled) or VALID. It may run any number of
-- times.
--- @include claimed-entry
local group, consumer, extend_after = ARGV[1], ARGV[2], tonumber(ARGV[3])
local states = {}
for i = 1, #KEYS / 3 do
  local stream, send, exclusions = KEYS[i * 3 - 2], KEYS[i * 3 - 1], KEYS[i * 3]
  local id, deliveries = ARGV[i * 2 + 2], ARGV[i * 2 + 3]
  local idle_ms = idle_of_claim(stream, group, consumer, id, deliveries)
  if not idle_ms then
    states[i] = 'LOST'
  else
    -- JUSTID keeps the number of deliveries, which is part of the fence.
    if idle_ms >= extend_after then redis.call('XCLAIM', stream, group, consumer, 0, id, 'JUSTID') end
    local is_cancelled = redis.call('HGET', send, 'state') == 'cancelled'
    local has_exclusions = redis.call('EXISTS', exclusions) == 1
    states[i] = is_cancelled and 'CANCELLED' or has_exclusions and 'EXCLUDED' or 'VALID'
  end
end
return states
