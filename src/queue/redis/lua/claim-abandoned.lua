#!lua flags=allow-oom
-- Claims batches of a stream that no worker has claimed for a long time: their provider was removed from the
-- configuration, or it was paused and not resumed.
-- KEYS: 1 stream
-- ARGV: 1 group  2 consumer  3 ms without a claim  4 most batches
-- Returns a header with the names of the columns, then a row for each batch, whose range is null if it has lines. A
-- second run claims nothing more, because claimed entries are not idle.
--- @include clock
--- @include read-fields
--- @include create-group
local stream, group, consumer, idle_ms = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local HEADER = 'id uid targetKind count lines range fence attempt isRetry'
local rows = { HEADER }
local oldest = to_digits(read_clock() - idle_ms)
for _, entry in ipairs(redis.call('XRANGE', stream, '-', oldest, 'COUNT', ARGV[4])) do
  local id = entry[1]
  local pending = redis.pcall('XPENDING', stream, group, id, id, 1)
  if pending.err then
    create_group(stream, group)
    pending = {}
  end
  if #pending == 0 or pending[1][3] > idle_ms then
    -- FORCE also claims entries that were never delivered to a consumer.
    redis.call('XCLAIM', stream, group, consumer, 0, id, 'FORCE')
    local batch = read_fields(entry[2])
    local lines = batch.t or batch.b and redis.call('GET', batch.b) or ''
    local deliveries = redis.call('XPENDING', stream, group, id, id, 1)[1][4]
    rows[#rows + 1] = { id, batch.u, batch.k, batch.n, lines, batch.d or false, deliveries, batch.a,
      batch.r or '0' }
  end
end
return rows
