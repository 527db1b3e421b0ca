#!lua flags=allow-oom
-- Cancels a send. An unknown uid is stored as cancelled, because the cancellation may arrive before its send.
-- KEYS: 1 send  2 due small sends  3 due broadcasts  4 scheduled sends  5 exclusions of the send  6 report of the send
-- ARGV: 1 uid  2 seconds to keep a cancelled send  3 seconds to keep an unknown uid  4 deadline, Unix ms
-- A second run changes nothing.
--- @include refuse-late
--- @include report
refuse_late(ARGV[4])
local send, uid = KEYS[1], ARGV[1]
local known = redis.call('HMGET', send, 'state', 'hash')
local state, hash = known[1], known[2]
if state == 'done' or (state == 'cancelled' and hash) then return end
redis.call('HSET', send, 'state', 'cancelled')
-- The send gets a new fence: a worker that is storing its batches finds its claim lost at the next page, and stops.
redis.call('HINCRBY', send, 'fence', 1)
redis.call('HDEL', send, 'content')
-- The recipient of a send with open range batches is kept: their workers need it to count the cancelled targets.
local kept = redis.call('HMGET', send, 'ranges', 'open')
if not kept[1] or tonumber(kept[2]) == 0 then redis.call('HDEL', send, 'recipient') end
if hash and redis.call('EXISTS', KEYS[6]) == 1 then
  redis.call('HSET', KEYS[6], 'cancelled', '1')
  -- The send may expire before its last batch is acknowledged, for example while its provider is paused. Nothing ends
  -- the report then.
  redis.call('EXPIRE', KEYS[6], redis.call('HGET', KEYS[6], 'keep'))
  if tonumber(kept[2]) == 0 then end_report(KEYS[6], read_clock()) end
end
redis.call('ZREM', KEYS[2], uid)
redis.call('ZREM', KEYS[3], uid)
redis.call('ZREM', KEYS[4], uid)
-- The exclusions are deleted here, because they have no effect on a cancelled send. Their expiry is set only when a
-- send ends, and a cancelled send does not end.
redis.call('UNLINK', KEYS[5])
redis.call('EXPIRE', send, hash and ARGV[2] or ARGV[3])
