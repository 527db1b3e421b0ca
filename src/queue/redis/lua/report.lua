--- @include clock

-- The report of a send is a hash: the fields that enqueue.lua writes (absent ones are empty, or `analytics` the uid), the times below, and the counts, with names that
-- have a space (stored-report.ts). A send of an earlier version has no report, and none is made for it.
--   first, last  Unix ms of the first and the last acknowledgement that counted a target
--   ended        Unix ms at which the last batch was acknowledged; the report expires `keep` seconds after it
--   cancelled    '1' for a cancelled send
--   delivered, interacted  the numbers of apps' reports

-- Adds changes to the counts of a report. The changes are `number` pairs of a name and a number in ARGV, from `first`
-- on. Returns the position in ARGV behind them.
local function count_in_report(report, first, number)
  local behind = first + 2 * number
  if number > 0 and redis.call('EXISTS', report) == 1 then
    for i = first, behind - 1, 2 do redis.call('HINCRBY', report, ARGV[i], ARGV[i + 1]) end
  end
  return behind
end

local function end_report(report, now)
  local keep_seconds = redis.call('HGET', report, 'keep')
  if not keep_seconds then return end
  redis.call('HSET', report, 'ended', to_digits(now))
  redis.call('EXPIRE', report, keep_seconds)
end
