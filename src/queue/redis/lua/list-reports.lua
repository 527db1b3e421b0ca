#!lua flags=no-writes
-- Lists reports, the latest accepted first.
-- KEYS: 1 index of reports: uids by the time of acceptance  2 scheduled sends: uids by the time of acceptance
-- ARGV: 1 prefix of the keys of reports  2 latest time of acceptance, Unix ms ('+inf' = any)
--       3 uid of that time after which the list begins, perhaps that of another partition ('' = before the first)
--       4 first time of acceptance ('-inf')  5 beginning of the uid  6 states with spaces around each ('' = all)
--       7 most reports to return  8 most reports to read
-- Returns the Unix ms and the uid of the position behind the page (both '' if there are no more), then for each report
-- its uid, its state, and its fields as a list.
--- @include clock
--- @include read-field
--- @include report-state
local index, scheduled, prefix, latest, after = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3]
local first, uid_prefix, states = ARGV[4], ARGV[5], ARGV[6]
local most, most_read = tonumber(ARGV[7]), tonumber(ARGV[8])
local now = read_clock()

local reply = { '', '' }
local found = 0
local is_behind = after == ''
local function read(set)
  return redis.call('ZRANGE', set, latest, first, 'BYSCORE', 'REV', 'LIMIT', 0, most_read, 'WITHSCORES')
end
local lists, at = { read(index), read(scheduled) }, { 1, 1 }

-- Returns the next uid of both lists, in their common order, with its score, and whether it is of a scheduled send.
local function next_member()
  local best
  for i = 1, 2 do
    local uid, score = lists[i][at[i]], tonumber(lists[i][at[i] + 1])
    local other = best and tonumber(lists[best][at[best] + 1])
    if uid and (not best or score > other or score == other and uid > lists[best][at[best]]) then best = i end
  end
  local uid, score = lists[best][at[best]], lists[best][at[best] + 1]
  at[best] = at[best] + 2
  return uid, score, best == 2
end

local members = math.min((#lists[1] + #lists[2]) / 2, most_read)
local is_full = members == most_read
for i = 1, members do
  local uid, accepted, is_scheduled = next_member()
  is_behind = is_behind or accepted ~= latest or uid < after
  if not is_behind then
    is_behind = uid == after
  else
    if string.sub(uid, 1, #uid_prefix) == uid_prefix then
      -- The report of a member may have expired since the last clean-up.
      local stored = redis.call('HGETALL', prefix .. uid)
      local state = #stored > 0 and read_report_state(stored, now)
      -- Earlier versions stored scheduled sends by another time, and in the index of reports too.
      local is_twice = is_scheduled and read_field(stored, 'accepted') ~= accepted
      if state and not is_twice and (states == '' or string.find(states, ' ' .. state .. ' ', 1, true)) then
        found = found + 1
        reply[#reply + 1] = { uid, state, stored }
      end
    end
    local is_last = i == members
    if (found == most or is_last) and (is_full or not is_last) then
      reply[1], reply[2] = accepted, uid
      break
    end
  end
end
return reply
