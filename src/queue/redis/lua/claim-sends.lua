#!lua flags=allow-oom
-- Claims due sends of a lane for fan-out, oldest first. A claim lasts until the send's new time in the set.
-- KEYS: 1 due sends of the lane  2 scheduled sends  3 index of reports
-- ARGV: 1 most sends  2 lease, ms  3 prefix of the keys of sends  4 prefix of the keys of exclusions
-- Returns a header with the names of the columns, then a row for each send. A second run claims other sends. If the
-- reply is lost, its sends can be claimed again after their lease.
--- @include clock
--- @include end-schedule
local due_sends, scheduled, lease_ms, send_prefix, exclusions_prefix = KEYS[1], KEYS[2], ARGV[2], ARGV[3], ARGV[4]
local HEADER = 'uid recipient content fence cursor has_exclusions'
local now = read_clock()
local rows = { HEADER }
for _, uid in ipairs(redis.call('ZRANGE', due_sends, '-inf', to_digits(now), 'BYSCORE', 'LIMIT', 0, ARGV[1])) do
  local send = send_prefix .. uid
  end_schedule(scheduled, KEYS[3], uid)
  local stored = redis.call('HMGET', send, 'recipient', 'content', 'cursor')
  local recipient, content, cursor = stored[1], stored[2], stored[3]
  if recipient then
    redis.call('HSET', send, 'state', 'fanning')
    local fence = redis.call('HINCRBY', send, 'fence', 1)
    redis.call('ZADD', due_sends, to_digits(now + lease_ms), uid)
    rows[#rows + 1] = { uid, recipient, content, fence, cursor, redis.call('EXISTS', exclusions_prefix .. uid) }
  else
    redis.call('ZREM', due_sends, uid)
  end
end
return rows
