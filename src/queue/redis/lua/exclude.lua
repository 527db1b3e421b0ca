#!lua flags=allow-oom
-- Excludes a user or a device from a send. The exclusion may arrive before its send: then it is kept for a while.
-- KEYS: 1 send  2 exclusions of the send
-- ARGV: 1 member  2 most members  3 seconds to keep exclusions of an unknown uid  4 deadline, Unix ms
-- Returns EXCLUDED, or FULL when the send has as many exclusions as are allowed. A second run changes nothing.
--- @include refuse-late
refuse_late(ARGV[4])
local send, exclusions, keep_seconds = KEYS[1], KEYS[2], ARGV[3]
local state = redis.call('HGET', send, 'state')
if state == 'done' or state == 'cancelled' then return 'EXCLUDED' end
if redis.call('SCARD', exclusions) >= tonumber(ARGV[2]) then return 'FULL' end
redis.call('SADD', exclusions, ARGV[1])
if not state or state == 'announced' then
  redis.call('HSET', send, 'state', 'announced')
  redis.call('EXPIRE', send, keep_seconds)
  redis.call('EXPIRE', exclusions, keep_seconds)
end
return 'EXCLUDED'
