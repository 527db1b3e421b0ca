#!lua flags=allow-oom
-- Leaves a target out of a send that is on its way, or of one that has not come yet.
-- KEYS: 1 send  2 drops of the send
-- ARGV: 1 member  2 most members  3 seconds to keep a mark
-- Run twice it changes nothing the second time.
local state = redis.call('HGET', KEYS[1], 'state')
if state == 'done' or state == 'cancelled' then return 'DROPPED' end
if redis.call('SCARD', KEYS[2]) >= tonumber(ARGV[2]) then return 'FULL' end
redis.call('SADD', KEYS[2], ARGV[1])
if not state or state == 'announced' then
  redis.call('HSET', KEYS[1], 'state', 'announced')
  redis.call('EXPIRE', KEYS[1], ARGV[3])
  redis.call('EXPIRE', KEYS[2], ARGV[3])
end
return 'DROPPED'
