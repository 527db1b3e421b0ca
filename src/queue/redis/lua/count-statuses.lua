#!lua flags=allow-oom
-- Adds apps' reports to the reports of sends. Unknown ones are skipped.
-- KEYS: report of each send
-- ARGV: for each report: number of `delivered`, number of `interacted`
-- A second run adds them again.
for i, report in ipairs(KEYS) do
  if redis.call('EXISTS', report) == 1 then
    for at, field in ipairs({ 'delivered', 'interacted' }) do
      local count = ARGV[2 * i - 2 + at]
      if count ~= '0' then redis.call('HINCRBY', report, field, count) end
    end
  end
end
