#!lua flags=allow-oom
-- Cancels sends. An unknown uid is stored as cancelled, because the cancellation may arrive before its send.
-- KEYS: 1 due small sends  2 due broadcasts  3 scheduled sends; then for each send: send, its exclusions, its report
-- ARGV: 1 seconds to keep a cancelled send  2 seconds to keep an unknown uid  3 deadline, Unix ms  4.. uids
-- A second run changes nothing.
--- @include refuse-late
--- @include report
local FIRST_KEY, SEND_KEYS, FIRST_UID = 4, 3, 4
refuse_late(ARGV[3])

local function cancel_report(report, has_ended)
  local keep_seconds = redis.call('HGET', report, 'keep')
  if not keep_seconds then return end
  redis.call('HSET', report, 'cancelled', '1')
  -- The send may expire before its last batch is acknowledged, for example while its provider is paused. Nothing ends
  -- the report then.
  if has_ended then end_report(report, read_clock())
  else redis.call('EXPIRE', report, keep_seconds) end
end

local function cancel_send(uid, send, exclusions, report)
  local known = redis.call('HMGET', send, 'state', 'hash', 'ranges', 'open')
  local state, hash, ranges, open = known[1], known[2], known[3], tonumber(known[4])
  if state == 'done' or (state == 'cancelled' and hash) then return end
  redis.call('HSET', send, 'state', 'cancelled')
  -- The send gets a new fence: a worker that is storing its batches finds its claim lost at the next page, and stops.
  redis.call('HINCRBY', send, 'fence', 1)
  if hash then
    -- The recipient of a send with open range batches is kept: their workers need it to count the cancelled targets.
    if ranges and open ~= 0 then redis.call('HDEL', send, 'content')
    else redis.call('HDEL', send, 'content', 'recipient') end
    cancel_report(report, open == 0)
    redis.call('ZREM', KEYS[1], uid)
    redis.call('ZREM', KEYS[2], uid)
    redis.call('ZREM', KEYS[3], uid)
  end
  -- The exclusions are deleted here, because they have no effect on a cancelled send. Their expiry is set only when a
  -- send ends, and a cancelled send does not end.
  if state then redis.call('UNLINK', exclusions) end
  redis.call('EXPIRE', send, hash and ARGV[1] or ARGV[2])
end

for i = FIRST_UID, #ARGV do
  local key = FIRST_KEY + (i - FIRST_UID) * SEND_KEYS
  cancel_send(ARGV[i], KEYS[key], KEYS[key + 1], KEYS[key + 2])
end
