#!lua flags=allow-oom
-- Extends the lease of a claimed send during its fan-out. A lease of 0 releases the send: another worker can claim it
-- at once.
-- KEYS: 1 send  2 due sends of its lane
-- ARGV: 1 uid  2 fence  3 lease, ms  4 channel
-- Returns EXTENDED, or LOST when the claim is lost. It may run any number of times.
--- @include clock
--- @include wake-workers
local uid, fence, lease_ms = ARGV[1], ARGV[2], ARGV[3]
local stored = redis.call('HMGET', KEYS[1], 'state', 'fence')
if stored[1] ~= 'fanning' or stored[2] ~= fence then return 'LOST' end
redis.call('ZADD', KEYS[2], 'XX', to_digits(read_clock() + lease_ms), uid)
if lease_ms == '0' then wake_workers(ARGV[4], 'sends') end
return 'EXTENDED'
