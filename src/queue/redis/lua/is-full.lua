#!lua flags=no-writes
-- Whether the number of waiting batches has reached its limit in one of these streams.
-- KEYS: 1 pauses  2.. streams
-- ARGV: 1 group  2 most waiting batches  3 most waiting batches of a paused provider  4.. provider of each stream
-- Returns 1 or 0.
local pauses, group = KEYS[1], ARGV[1]
for i = 2, #KEYS do
  local stream, provider = KEYS[i], ARGV[i + 2]
  if redis.call('EXISTS', stream) == 1 then
    local pending = redis.pcall('XPENDING', stream, group)
    local waiting = redis.call('XLEN', stream) - (pending.err and 0 or pending[1])
    local most = redis.call('HEXISTS', pauses, provider) == 1 and ARGV[3] or ARGV[2]
    if waiting >= tonumber(most) then return 1 end
  end
end
return 0
