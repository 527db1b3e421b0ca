#!lua flags=allow-oom
-- Ends the pause of a provider.
-- KEYS: 1 pauses
-- ARGV: 1 provider  2 deadline, Unix ms  3.. channel of each lane
-- A second run changes nothing.
--- @include refuse-late
--- @include wake-workers
refuse_late(ARGV[2])
redis.call('HDEL', KEYS[1], ARGV[1])
for i = 3, #ARGV do wake_workers(ARGV[i], 'batches') end
