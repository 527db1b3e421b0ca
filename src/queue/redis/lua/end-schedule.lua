-- Moves a scheduled send that is claimed or cancelled to the index of reports. Both have the time of acceptance as the
-- score. Servers of earlier versions stored scheduled sends by `send_at`, and in the index of reports too.
local function end_schedule(scheduled, reports, uid)
  local accepted = redis.call('ZSCORE', scheduled, uid)
  if not accepted then return end
  redis.call('ZREM', scheduled, uid)
  redis.call('ZADD', reports, 'NX', accepted, uid)
end
