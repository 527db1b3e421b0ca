#!lua flags=allow-oom
-- Removes a batch that is still ours, stores what is to be retried and what was given up, and ends the send with its last
-- batch. Allowed at maxmemory, or a full queue could not drain.
-- KEYS: 1 stream  2 notes on its claims  3 send  4 drops of the send  5 retries by time  6 bodies of retries  7 number of
--       the last retry  8 dead letters
-- ARGV: 1 group  2 consumer  3 id  4 deliveries at the claim  5 provider  6 lane  7 kind  8 uid  9 attempts with this one
--       10 seconds to keep an ended send  11 seconds to keep it with dead letters  12 channel
--       13 retries  14.. for each: count, targets, ambiguous attempts, delay in ms, '1' where its attempts start over;
--       then for each target given up: count, targets, reason
-- Run twice it answers LOST the second time and changes nothing.
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1)
if pending.err or #pending == 0 or pending[1][2] ~= ARGV[2] or pending[1][4] ~= tonumber(ARGV[4]) then return 'LOST' end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- As the claim noted it: reckoned from here, the time that sending took would be missing from the age of each retry.
local first = redis.call('HGET', KEYS[2], ARGV[3] .. 'f') or string.format('%.0f', now)
local retries = tonumber(ARGV[13])
for i = 1, retries do
  local at = 9 + i * 5
  local body = { u = ARGV[8], k = ARGV[7], n = ARGV[at], t = ARGV[at + 1], a = ARGV[9], m = ARGV[at + 2], f = first }
  if ARGV[at + 4] == '1' then
    body.a = '0'
    body.f = ''
  end
  if tonumber(ARGV[at + 3]) == 0 then
    redis.call('XADD', KEYS[1], '*', 'u', body.u, 'k', body.k, 'n', body.n, 't', body.t, 'a', body.a, 'm', body.m, 'f', body.f)
    redis.call('PUBLISH', ARGV[12], '')
  else
    body.s = KEYS[1]
    local id = redis.call('INCR', KEYS[7])
    redis.call('HSET', KEYS[6], id, cmsgpack.pack(body))
    redis.call('ZADD', KEYS[5], string.format('%.0f', now + ARGV[at + 3]), id)
  end
end
local state = redis.call('HGET', KEYS[3], 'state')
for at = 14 + retries * 5, #ARGV, 3 do
  if state and state ~= 'cancelled' then
    redis.call('XADD', KEYS[8], '*', 'u', ARGV[8], 'p', ARGV[5], 'l', ARGV[6], 'k', ARGV[7], 'n', ARGV[at],
      't', ARGV[at + 1], 'r', ARGV[at + 2], 'a', ARGV[9])
    redis.call('HSET', KEYS[3], 'dead', '1')
  end
end
local entry = redis.call('XRANGE', KEYS[1], ARGV[3], ARGV[3])[1]
for i = 1, entry and #entry[2] or 0, 2 do
  if entry[2][i] == 'b' then redis.call('UNLINK', entry[2][i + 1]) end
end
redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
redis.call('XDEL', KEYS[1], ARGV[3])
redis.call('HDEL', KEYS[2], ARGV[3] .. 'f', ARGV[3] .. 's')
if state then
  local open = redis.call('HINCRBY', KEYS[3], 'open', retries - 1)
  if state == 'fanned' and open == 0 then
    local dead = redis.call('HEXISTS', KEYS[3], 'dead') == 1
    redis.call('HSET', KEYS[3], 'state', 'done')
    if not dead then redis.call('HDEL', KEYS[3], 'content') end
    local keep = dead and ARGV[11] or ARGV[10]
    redis.call('EXPIRE', KEYS[3], keep)
    redis.call('EXPIRE', KEYS[4], keep)
  end
end
return 'ACKNOWLEDGED'
