#!lua flags=no-writes
-- Loads the report of a send.
-- KEYS: 1 report
-- ARGV: 1 uid
-- Returns its uid, its state, and its fields as a list; nothing if there is no report.
--- @include clock
--- @include report-state
local stored = redis.call('HGETALL', KEYS[1])
if #stored == 0 then return {} end
return { ARGV[1], read_report_state(stored, read_clock()), stored }
