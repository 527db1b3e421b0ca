#!lua
-- Writes a page's batches and moves the cursor. Refused as a whole when Redis is at maxmemory.
-- KEYS: 1 send  2 due sends of its lane  3 drops of the send  4 retries by time  5 bodies of retries
--       6 number of the last retry  7.. stream of each batch
-- ARGV: 1 uid  2 fence  3 expected cursor ('' = start)  4 new cursor ('' = the end)  5 lease, ms
--       6 seconds to keep it when it has ended  7 seconds to keep it with dead letters  8 channel
--       then for each batch: kind, count, targets or the key that has them, '1' where it is the key, delay in ms
-- FULL: targets that stood in a key of their own are not there. Run twice it answers COMMITTED the second time and writes nothing.
local send = redis.call('HMGET', KEYS[1], 'state', 'fence', 'cursor')
if send[2] ~= ARGV[2] then return 'LOST' end
local last = ARGV[4] == ''
if last and (send[1] == 'fanned' or send[1] == 'done') then return 'COMMITTED' end
if send[1] ~= 'fanning' then return 'LOST' end
local cursor = send[3] or ''
if not last and cursor == ARGV[4] then return 'COMMITTED' end
if cursor ~= ARGV[3] then return 'LOST' end
for at = 9, #ARGV, 5 do
  -- Refused when it was sent, because Redis is at maxmemory, or evicted since.
  if ARGV[at + 3] == '1' and redis.call('EXISTS', ARGV[at + 2]) == 0 then return 'FULL' end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease_end = string.format('%.0f', now + ARGV[5])
for i = 7, #KEYS do
  local at = 9 + (i - 7) * 5
  local field = 't'
  if ARGV[at + 3] == '1' then
    field = 'b'
    redis.call('PERSIST', ARGV[at + 2])
  end
  if tonumber(ARGV[at + 4]) == 0 then
    redis.call('XADD', KEYS[i], '*', 'u', ARGV[1], 'k', ARGV[at], 'n', ARGV[at + 1], field, ARGV[at + 2],
      'a', '0', 'm', '0', 'f', '')
  else
    local body = { s = KEYS[i], u = ARGV[1], k = ARGV[at], n = ARGV[at + 1], [field] = ARGV[at + 2], a = '0', m = '0', f = '' }
    local id = redis.call('INCR', KEYS[6])
    redis.call('HSET', KEYS[5], id, cmsgpack.pack(body))
    redis.call('ZADD', KEYS[4], string.format('%.0f', now + ARGV[at + 4]), id)
  end
end
local open = redis.call('HINCRBY', KEYS[1], 'open', #KEYS - 6)
if not last then
  redis.call('HSET', KEYS[1], 'cursor', ARGV[4])
  redis.call('ZADD', KEYS[2], 'XX', lease_end, ARGV[1])
else
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('HDEL', KEYS[1], 'recipient', 'cursor')
  redis.call('HSET', KEYS[1], 'state', open > 0 and 'fanned' or 'done')
  if open == 0 then
    local dead = redis.call('HEXISTS', KEYS[1], 'dead') == 1
    if not dead then redis.call('HDEL', KEYS[1], 'content') end
    local keep = dead and ARGV[7] or ARGV[6]
    redis.call('EXPIRE', KEYS[1], keep)
    redis.call('EXPIRE', KEYS[3], keep)
  end
end
redis.call('PUBLISH', ARGV[8], '')
return 'COMMITTED'
