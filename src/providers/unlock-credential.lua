-- Stores a renewed credential and releases its lock. Does nothing when another worker holds the lock.
-- KEYS: 1 lock  2 credential
-- ARGV: 1 owner of the lock  2 credential ('' = unchanged)  3 ms to keep it
-- Returns 1, or 0 when the lock is not held. A second run returns 0.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] ~= '' then redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) end
redis.call('DEL', KEYS[1])
return 1
