#!lua flags=allow-oom
-- Claims batches of a stream that no worker has taken for too long: nobody sends to their provider, because it was taken
-- out of the configuration, or paused and forgotten.
-- KEYS: 1 stream
-- ARGV: 1 group  2 consumer  3 too long, ms  4 most
-- Run twice it claims nothing more: what was claimed is not idle any more.
-- Returns for each: id, uid, kind, count, targets, deliveries, attempts before.
local time = redis.call('TIME')
local oldest = string.format('%.0f', time[1] * 1000 - ARGV[3])
local claimed = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', oldest, 'COUNT', ARGV[4])) do
  local id = entry[1]
  local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], id, id, 1)
  if pending.err then
    redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0')
    pending = {}
  end
  if #pending == 0 or pending[1][3] > tonumber(ARGV[3]) then
    -- FORCE: what was never handed out is claimed too.
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, id, 'FORCE')
    local fields = {}
    for i = 1, #entry[2], 2 do fields[entry[2][i]] = entry[2][i + 1] end
    local deliveries = redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1)[1][4]
    claimed[#claimed + 1] = { id, fields.u, fields.k, fields.n, fields.t or redis.call('GET', fields.b) or '', deliveries, fields.a }
  end
end
return claimed
