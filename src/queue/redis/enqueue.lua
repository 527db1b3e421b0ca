#!lua
-- Stores a send, and its first batches if it has them. Refused as a whole when Redis is at maxmemory.
-- KEYS: 1 send  2 due sends of its lane  3 scheduled sends  4 drops of the send  5 retries by time  6 bodies of retries
--       7 number of the last retry  8.. stream of each batch
-- ARGV: 1 uid  2 request hash  3 lane  4 state  5 recipient ('' = none)  6 content ('' = none)
--       7 send at, ms ('' = now)  8 expire at, ms ('' = never)  9 seconds to keep it when it has ended
--       10 channel  then for each batch: kind, count, targets, delay in ms
-- Run twice it answers DUPLICATE the second time. A send met by its cancellation stays cancelled.
local known = redis.call('HMGET', KEYS[1], 'state', 'hash')
if known[2] then return known[2] == ARGV[2] and 'DUPLICATE' or 'CONFLICT' end
if known[1] == 'cancelled' then
  redis.call('HSET', KEYS[1], 'hash', ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[9])
  return 'ACCEPTED'
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local open = #KEYS - 7
for i = 1, open do
  local at = 7 + i * 4
  if tonumber(ARGV[at + 3]) == 0 then
    redis.call('XADD', KEYS[7 + i], '*', 'u', ARGV[1], 'k', ARGV[at], 'n', ARGV[at + 1], 't', ARGV[at + 2],
      'a', '0', 'm', '0', 'f', '')
  else
    local body = { s = KEYS[7 + i], u = ARGV[1], k = ARGV[at], n = ARGV[at + 1], t = ARGV[at + 2], a = '0', m = '0', f = '' }
    local id = redis.call('INCR', KEYS[7])
    redis.call('HSET', KEYS[6], id, cmsgpack.pack(body))
    redis.call('ZADD', KEYS[5], string.format('%.0f', now + ARGV[at + 3]), id)
  end
end
redis.call('HSET', KEYS[1], 'state', ARGV[4], 'hash', ARGV[2], 'lane', ARGV[3], 'expire', ARGV[8], 'fence', '0',
  'open', open)
if ARGV[5] ~= '' then redis.call('HSET', KEYS[1], 'recipient', ARGV[5]) end
if ARGV[6] ~= '' then redis.call('HSET', KEYS[1], 'content', ARGV[6]) end
redis.call('PERSIST', KEYS[1])
redis.call('PERSIST', KEYS[4])
if ARGV[4] == 'waiting' then
  if ARGV[7] ~= '' and tonumber(ARGV[7]) > now then
    redis.call('ZADD', KEYS[2], ARGV[7], ARGV[1])
    redis.call('ZADD', KEYS[3], ARGV[7], ARGV[1])
  else
    redis.call('ZADD', KEYS[2], string.format('%.0f', now), ARGV[1])
  end
elseif ARGV[4] == 'done' then
  redis.call('EXPIRE', KEYS[1], ARGV[9])
  redis.call('EXPIRE', KEYS[4], ARGV[9])
end
redis.call('PUBLISH', ARGV[10], '')
return 'ACCEPTED'
