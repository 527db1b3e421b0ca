#!lua flags=allow-oom
-- Extends the lease of a walk, or with a lease of 0 gives the walk to others.
-- KEYS: 1 send  2 due sends of its lane
-- ARGV: 1 uid  2 fence  3 lease, ms  4 channel
-- It may run any number of times; LOST once another worker walks it.
local send = redis.call('HMGET', KEYS[1], 'state', 'fence')
if send[1] ~= 'fanning' or send[2] ~= ARGV[2] then return 'LOST' end
local time = redis.call('TIME')
local due = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3]
redis.call('ZADD', KEYS[2], 'XX', string.format('%.0f', due), ARGV[1])
if ARGV[3] == '0' then redis.call('PUBLISH', ARGV[4], '') end
return 'EXTENDED'
