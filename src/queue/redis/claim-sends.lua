#!lua flags=allow-oom
-- Claims the sends of a lane that have been due for longest; the claim lasts until its new time in the set.
-- KEYS: 1 due sends of the lane  2 scheduled sends
-- ARGV: 1 most  2 lease, ms  3 prefix of sends' keys
-- Run twice it claims others; those that nobody heard of come back after their lease.
-- Returns for each: uid, recipient, content, fence, cursor or false.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local claimed = {}
for _, uid in ipairs(redis.call('ZRANGE', KEYS[1], '-inf', string.format('%.0f', now), 'BYSCORE', 'LIMIT', 0, ARGV[1])) do
  local key = ARGV[3] .. uid
  redis.call('ZREM', KEYS[2], uid)
  local send = redis.call('HMGET', key, 'recipient', 'content', 'cursor')
  if send[1] then
    redis.call('HSET', key, 'state', 'fanning')
    local fence = redis.call('HINCRBY', key, 'fence', 1)
    redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), uid)
    claimed[#claimed + 1] = { uid, send[1], send[2], fence, send[3] }
  else
    redis.call('ZREM', KEYS[1], uid)
  end
end
return claimed
