#!lua
-- Turns a dead letter into a batch without earlier attempts. Dead letters of a cancelled or deleted send are kept as
-- they are.
-- KEYS: 1 dead letters  2 send  3 stream  4 exclusions of the send  5 report of the send
-- ARGV: 1 id  2 channel  3 deadline, Unix ms  4 number of changes of the report
--       5.. for each change: name of the count, number
-- Returns the number of the dead letter's targets; 0 when nothing was changed, as in a second run.
--- @include refuse-late
--- @include read-fields
--- @include write-batch
--- @include open-batches
--- @include wake-workers
local dead_letters, send, stream, exclusions = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id = ARGV[1]
refuse_late(ARGV[3])
local entry = redis.call('XRANGE', dead_letters, id, id)[1]
local state = redis.call('HGET', send, 'state')
if not entry or not state or state == 'cancelled' then return 0 end
local letter = read_fields(entry[2])
local form = letter.d and 'd' or 't'
write_batch(stream, make_batch(letter.u, letter.k, letter.n, form, letter[form]))
redis.call('XDEL', dead_letters, id)
count_open_batches(send, exclusions, KEYS[5], 1, false)
count_in_report(KEYS[5], 5, tonumber(ARGV[4]))
redis.call('HDEL', KEYS[5], 'ended')
redis.call('PERSIST', KEYS[5])
if state == 'done' then redis.call('HSET', send, 'state', 'fanned') end
redis.call('PERSIST', send)
redis.call('PERSIST', exclusions)
wake_workers(ARGV[2], 'batches')
return tonumber(letter.n)
