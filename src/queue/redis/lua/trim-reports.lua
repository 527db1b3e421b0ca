#!lua flags=allow-oom
-- Removes reports from the index that have expired. While there are too many, also deletes those of ended sends.
-- KEYS: 1 index of reports: uids by the time of acceptance
-- ARGV: 1 prefix of the keys of reports  2 position in the index to begin at  3 most reports to read
--       4 most reports to keep  5 ms that each report is kept at least
-- Returns the number of reports that were read and kept, and 1 if there may be more to remove. It may run any number of
-- times.
--- @include clock
local index, prefix, from, most_read, most = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local members = redis.call('ZRANGE', index, from, from + most_read - 1, 'WITHSCORES')
local surplus = redis.call('ZCARD', index) - most
local kept = 0
for i = 1, #members, 2 do
  local uid, report = members[i], prefix .. members[i]
  local ended = surplus > 0 and redis.call('HEXISTS', report, 'ended') == 1
  if ended then redis.call('UNLINK', report) end
  if ended or redis.call('EXISTS', report) == 0 then
    redis.call('ZREM', index, uid)
    surplus = surplus - 1
  else
    kept = kept + 1
  end
end
local last_accepted = tonumber(members[#members] or 0)
local may_have_expired = last_accepted < read_clock() - ARGV[5]
return { kept, #members == 2 * most_read and (surplus > 0 or may_have_expired) and 1 or 0 }
