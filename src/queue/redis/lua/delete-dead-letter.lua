#!lua flags=allow-oom
-- Deletes a dead letter.
-- KEYS: 1 dead letters
-- ARGV: 1 id  2 deadline, Unix ms
-- Returns the number of deleted dead letters; 0 in a second run.
--- @include refuse-late
refuse_late(ARGV[2])
return redis.call('XDEL', KEYS[1], ARGV[1])
