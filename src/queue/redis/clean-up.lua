#!lua flags=allow-oom
-- Forgets dead letters whose time is over, and workers that have gone. A consumer takes its pending entries with it, so
-- only those go that hold none; one that is alive all the same is made again by its next claim.
-- KEYS: 1 dead letters  2.. streams
-- ARGV: 1 group  2 seconds to keep dead letters  3 ms of silence after which a worker has gone
-- It may run any number of times.
local time = redis.call('TIME')
redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f', (time[1] - ARGV[2]) * 1000))
for i = 2, #KEYS do
  local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[i], ARGV[1])
  -- No stream or no group yet: nobody has claimed.
  for _, consumer in ipairs(consumers.err and {} or consumers) do
    local fields = {}
    for j = 1, #consumer, 2 do fields[consumer[j]] = consumer[j + 1] end
    if fields.pending == 0 and fields.idle > tonumber(ARGV[3]) then
      redis.call('XGROUP', 'DELCONSUMER', KEYS[i], ARGV[1], fields.name)
    end
  end
end
