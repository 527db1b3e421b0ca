#!lua flags=allow-oom
-- Claims batches of a lane: first those whose lease has ended, then new ones. Retries whose time has come are put into
-- their streams before. Of a paused provider one batch is claimed when its time for a probe has come.
-- KEYS: 1 retries by time  2 bodies of retries  3 pauses  then for each provider: stream, notes on claims
-- ARGV: 1 group  2 consumer  3 most  4 lease, ms  5 '1': look for ended leases  6 prefix of sends' keys
--       7 prefix of drops' keys  8 '1': content too  9.. providers
-- Run twice it claims others; those that nobody heard of come back after their lease.
-- Returns for each: provider, id, uid, kind, count, targets or '', the key that has them or '', deliveries, attempts before, ambiguous attempts, age in ms,
-- state of the send, ms until it expires or '', 1 if it has drops, settled bits or '', 1 if it is a probe, content or ''.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local now_text = string.format('%.0f', now)
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], '-inf', now_text, 'BYSCORE', 'LIMIT', 0, 100)) do
  local packed = redis.call('HGET', KEYS[2], id)
  -- Only a Redis that evicts has lost it; one such retry must not stand in the way of all claims.
  if packed then
    local body = cmsgpack.unpack(packed)
    redis.call('XADD', body.s, '*', 'u', body.u, 'k', body.k, 'n', body.n, body.b and 'b' or 't', body.b or body.t,
      'a', body.a, 'm', body.m, 'f', body.f)
  end
  redis.call('ZREM', KEYS[1], id)
  redis.call('HDEL', KEYS[2], id)
end

local claimed = {}
local left = tonumber(ARGV[3])

local function add(provider, notes, entry, deliveries, is_probe)
  local fields = {}
  for i = 1, #entry[2], 2 do fields[entry[2][i]] = entry[2][i + 1] end
  local id = entry[1]
  local note = redis.call('HMGET', notes, id .. 'f', id .. 's')
  local first = note[1]
  if not first then
    first = fields.f ~= '' and fields.f or now_text
    redis.call('HSET', notes, id .. 'f', first)
  end
  local send = redis.call('HMGET', ARGV[6] .. fields.u, 'state', 'expire')
  local state, expires = 'live', ''
  if not send[1] or send[1] == 'cancelled' then state = 'cancelled' end
  if send[2] and send[2] ~= '' then
    expires = string.format('%.0f', send[2] - now)
    if state == 'live' and tonumber(expires) <= 0 then state = 'expired' end
  end
  local content = ARGV[8] == '1' and redis.call('HGET', ARGV[6] .. fields.u, 'content') or ''
  claimed[#claimed + 1] = { provider, id, fields.u, fields.k, fields.n, fields.t or '', fields.b or '', deliveries, fields.a, fields.m,
    string.format('%.0f', now - first), state, expires, redis.call('EXISTS', ARGV[7] .. fields.u), note[2] or '', is_probe,
    content or '' }
  left = left - 1
end

local function read(provider, stream, notes, most, is_probe)
  if ARGV[5] == '1' then
    local ended = redis.pcall('XPENDING', stream, ARGV[1], 'IDLE', ARGV[4], '-', '+', most)
    if not ended.err then
      for _, pending in ipairs(ended) do
        local entry = redis.call('XCLAIM', stream, ARGV[1], ARGV[2], ARGV[4], pending[1])[1]
        if entry then
          most = most - 1
          add(provider, notes, entry, pending[4] + 1, is_probe)
        end
      end
    end
  end
  if most <= 0 then return end
  local new = redis.pcall('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', most, 'STREAMS', stream, '>')
  if new and new.err then
    -- From 0, never from the end: what was written before the group was made must not be skipped.
    redis.call('XGROUP', 'CREATE', stream, ARGV[1], '0')
    new = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', most, 'STREAMS', stream, '>')
  end
  if new then
    for _, entry in ipairs(new[1][2]) do add(provider, notes, entry, 1, is_probe) end
  end
end

local providers = #ARGV - 8
for round = 1, 2 do
  for i = 1, providers do
    local provider, stream, notes = ARGV[8 + i], KEYS[2 + i * 2], KEYS[3 + i * 2]
    -- In the first round each provider gets its share, in the second what others left.
    local most = round == 1 and math.ceil(left / (providers - i + 1)) or left
    if most > 0 and redis.call('EXISTS', stream) == 1 then
      local pause = redis.call('HGET', KEYS[3], provider)
      if not pause then
        read(provider, stream, notes, most, 0)
      elseif round == 1 then
        pause = cmsgpack.unpack(pause)
        if pause.every and pause.at <= now then
          local before = #claimed
          read(provider, stream, notes, 1, 1)
          if #claimed > before then
            pause.at = now + pause.every
            redis.call('HSET', KEYS[3], provider, cmsgpack.pack(pause))
          end
        end
      end
    end
  end
end
return claimed
