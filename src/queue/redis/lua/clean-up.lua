#!lua flags=allow-oom
-- Deletes old dead letters, and the consumers of workers that have stopped. Deleting a consumer deletes its pending
-- entries, so consumers that have any are kept. The consumer of a running worker is created again by its next claim.
-- KEYS: 1 dead letters  2.. streams
-- ARGV: 1 group  2 seconds to keep dead letters  3 ms without a command after which a worker is regarded as stopped
-- It may run any number of times.
--- @include read-fields
local group, keep_seconds, silent_ms = ARGV[1], ARGV[2], tonumber(ARGV[3])
local now_seconds = redis.call('TIME')[1]
redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f', (now_seconds - keep_seconds) * 1000))
for i = 2, #KEYS do
  local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[i], group)
  -- The reply of XINFO is an error before the first claim: the stream or its group does not exist yet.
  for _, consumer in ipairs(consumers.err and {} or consumers) do
    local fields = read_fields(consumer)
    if fields.pending == 0 and fields.idle > silent_ms then
      redis.call('XGROUP', 'DELCONSUMER', KEYS[i], group, fields.name)
    end
  end
end
