#!lua flags=allow-oom
-- Gives a batch back as if it had not been claimed: as a new entry, because an entry's deliveries can't be counted down.
-- KEYS: 1 stream  2 notes on its claims
-- ARGV: 1 group  2 consumer  3 id  4 deliveries at the claim  5 attempts before this one  6 channel
-- Run twice it finds nothing that is ours the second time.
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1)
if pending.err or #pending == 0 or pending[1][2] ~= ARGV[2] or pending[1][4] ~= tonumber(ARGV[4]) then return end
local entry = redis.call('XRANGE', KEYS[1], ARGV[3], ARGV[3])[1]
if not entry then return end
local fields = {}
for i = 1, #entry[2], 2 do fields[entry[2][i]] = entry[2][i + 1] end
local first = ARGV[5] ~= '0' and (redis.call('HGET', KEYS[2], ARGV[3] .. 'f') or fields.f) or ''
local id = redis.call('XADD', KEYS[1], '*', 'u', fields.u, 'k', fields.k, 'n', fields.n, fields.b and 'b' or 't', fields.b or fields.t,
  'a', ARGV[5], 'm', fields.m, 'f', first)
-- What an earlier worker noted as settled must not be sent again.
local settled = redis.call('HGET', KEYS[2], ARGV[3] .. 's')
if settled then redis.call('HSET', KEYS[2], id .. 's', settled) end
redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
redis.call('XDEL', KEYS[1], ARGV[3])
redis.call('HDEL', KEYS[2], ARGV[3] .. 'f', ARGV[3] .. 's')
redis.call('PUBLISH', ARGV[6], '')
