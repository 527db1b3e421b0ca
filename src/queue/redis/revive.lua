#!lua
-- Makes a batch of a dead letter again, as if never tried. That of a cancelled or forgotten send stays.
-- KEYS: 1 dead letters  2 send  3 stream  4 drops of the send
-- ARGV: 1 id  2 channel
-- Returns its number of targets, 0 when there was nothing to do: so it is when it runs twice.
local entry = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
local state = redis.call('HGET', KEYS[2], 'state')
if not entry or not state or state == 'cancelled' then return 0 end
local fields = {}
for i = 1, #entry[2], 2 do fields[entry[2][i]] = entry[2][i + 1] end
redis.call('XADD', KEYS[3], '*', 'u', fields.u, 'k', fields.k, 'n', fields.n, 't', fields.t, 'a', '0', 'm', '0', 'f', '')
redis.call('XDEL', KEYS[1], ARGV[1])
redis.call('HINCRBY', KEYS[2], 'open', 1)
if state == 'done' then redis.call('HSET', KEYS[2], 'state', 'fanned') end
redis.call('PERSIST', KEYS[2])
redis.call('PERSIST', KEYS[4])
redis.call('PUBLISH', ARGV[2], '')
return tonumber(fields.n)
