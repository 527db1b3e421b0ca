#!lua flags=allow-oom
-- Ends a send that is on its way, or leaves a mark for one that has not come yet.
-- KEYS: 1 send  2 due small sends  3 due broadcasts  4 scheduled sends  5 drops of the send
-- ARGV: 1 uid  2 seconds to keep it when it has ended  3 seconds to keep the mark
-- Run twice it changes nothing the second time.
local known = redis.call('HMGET', KEYS[1], 'state', 'hash')
if known[1] == 'done' or (known[1] == 'cancelled' and known[2]) then return end
redis.call('HSET', KEYS[1], 'state', 'cancelled')
redis.call('HINCRBY', KEYS[1], 'fence', 1)
redis.call('HDEL', KEYS[1], 'recipient', 'content')
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
-- Nothing of it is sent any more, and nothing else would end them.
redis.call('UNLINK', KEYS[5])
redis.call('EXPIRE', KEYS[1], known[2] and ARGV[2] or ARGV[3])
