#!lua flags=no-writes
-- Whether one of these streams has as many batches waiting as it may have.
-- KEYS: 1 pauses  2.. streams
-- ARGV: 1 group  2 most waiting  3 most waiting while paused  4.. provider of each stream
for i = 2, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 1 then
    local pending = redis.pcall('XPENDING', KEYS[i], ARGV[1])
    local waiting = redis.call('XLEN', KEYS[i]) - (pending.err and 0 or pending[1])
    local most = redis.call('HEXISTS', KEYS[1], ARGV[i + 2]) == 1 and ARGV[3] or ARGV[2]
    if waiting >= tonumber(most) then return 1 end
  end
end
return 0
