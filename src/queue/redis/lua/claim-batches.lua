#!lua flags=allow-oom
-- Claims batches of a lane: first abandoned batches, then new ones. Before that, due retries are moved to their
-- streams. Of a paused provider one batch is claimed, when its interval between probes is over.
-- KEYS: 1 retries by time  2 bodies of retries  3 pauses  4.. for each provider: stream, notes on its claims
-- ARGV: 1 group  2 consumer  3 most batches  4 lease, ms  5 '1': look for abandoned batches
--       6 prefix of the keys of sends  7 prefix of the keys of exclusions  8 '1': return the content of the send too
--       9 least wait, ms: new batches of a provider stay while its first one is younger  10.. providers
-- Returns a header with the names of the columns, then a row for each batch. A second run claims other batches. If the
-- reply is lost, its batches are abandoned after their lease.
--- @include clock
--- @include read-fields
--- @include write-batch
--- @include claim-notes
--- @include create-group
local retries, bodies, pauses = KEYS[1], KEYS[2], KEYS[3]
local group, consumer, lease_ms, looks_for_abandoned = ARGV[1], ARGV[2], ARGV[4], ARGV[5] == '1'
local send_prefix, exclusions_prefix, returns_content = ARGV[6], ARGV[7], ARGV[8] == '1'
local least_wait_ms = tonumber(ARGV[9])
local FIRST_PROVIDER, FIRST_STREAM = 10, 4
-- The most due retries that one run moves to their streams, so that no run takes long.
local MOST_MOVED = 100
-- Columns of the reply that may be null (false here): analyticsUid that is the uid, targetsKey and range of a batch
-- without one, expiresInMs of a send without expiry, settled and note without a checkpoint, content unless it is asked
-- for. To decode a number or null costs the worker little; each string costs it an object.
local HEADER = 'provider id uid analyticsUid targetKind count lines targetsKey range fence attemptsBefore isRetry '
  .. 'ambiguousAttempts ageMs sendState expiresInMs hasExclusions settled note isProbe content'

local now = read_clock()
local now_digits = to_digits(now)
for _, id in ipairs(redis.call('ZRANGE', retries, '-inf', now_digits, 'BYSCORE', 'LIMIT', 0, MOST_MOVED)) do
  local packed = redis.call('HGET', bodies, id)
  -- The fields of a retry are missing only if Redis evicts keys. Such a retry is removed: it must not block all claims.
  if packed then
    local batch = cmsgpack.unpack(packed)
    write_batch(batch.s, batch)
  end
  redis.call('ZREM', retries, id)
  redis.call('HDEL', bodies, id)
end

local SEND_FIELDS = { 'state', 'expire', 'analytics', returns_content and 'content' or nil }
local rows = { HEADER }
local left = tonumber(ARGV[3])

-- Returns the state of a send, the uid of its rows in analytics (false if that is the uid of the send), the ms until it
-- expires (false if it never expires), and its content (false unless it is asked for).
local function read_send(uid)
  local stored = redis.call('HMGET', send_prefix .. uid, unpack(SEND_FIELDS))
  local state, expire_at, analytics_uid, content = stored[1], stored[2], stored[3], stored[4] or false
  local is_cancelled = not state or state == 'cancelled'
  if not expire_at or expire_at == '' then
    return is_cancelled and 'cancelled' or 'live', analytics_uid, false, content
  end
  local expires_in = expire_at - now
  local is_expired = expires_in <= 0
  return is_cancelled and 'cancelled' or is_expired and 'expired' or 'live', analytics_uid, expires_in, content
end

local function add_row(provider, notes, entry, deliveries, is_probe)
  local id, batch = entry[1], read_fields(entry[2])
  local noted = redis.call('HMGET', notes, id .. FIRST_CLAIM, id .. FINISHED, id .. NOTE)
  local first, finished, note = noted[1], noted[2], noted[3]
  if not first then
    first = batch.f ~= '' and batch.f or now_digits
    redis.call('HSET', notes, id .. FIRST_CLAIM, first)
  end
  local state, analytics_uid, expires_in, content = read_send(batch.u)
  local has_exclusions = redis.call('EXISTS', exclusions_prefix .. batch.u)
  rows[#rows + 1] = {
    provider, id, batch.u, analytics_uid, batch.k, tonumber(batch.n), batch.t or '', batch.b or false,
    batch.d or false, deliveries, tonumber(batch.a), batch.r == '1' and 1 or 0, tonumber(batch.m), now - first, state,
    expires_in, has_exclusions, finished, note, is_probe, content,
  }
  left = left - 1
end

-- Whether the first new batch of a stream has waited for the least time: its id begins with the time of its XADD.
local function has_waited(stream)
  local groups = redis.call('XINFO', 'GROUPS', stream)
  local last = groups[1] and read_fields(groups[1])['last-delivered-id'] or '0-0'
  local first = redis.call('XRANGE', stream, '(' .. last, '+', 'COUNT', 1)[1]
  return first and now - tonumber(string.match(first[1], '^%d+')) >= least_wait_ms
end

-- Claims up to `most` batches of a stream: abandoned ones first, then new ones.
local function claim(provider, stream, notes, most, is_probe)
  if looks_for_abandoned then
    local abandoned = redis.pcall('XPENDING', stream, group, 'IDLE', lease_ms, '-', '+', most)
    -- The reply of XPENDING is an error while the stream has no consumer group.
    for _, pending in ipairs(abandoned.err and {} or abandoned) do
      local id, deliveries = pending[1], pending[4]
      local entry = redis.call('XCLAIM', stream, group, consumer, lease_ms, id)[1]
      if entry then
        most = most - 1
        add_row(provider, notes, entry, deliveries + 1, is_probe)
      end
    end
  end
  if most <= 0 or (least_wait_ms > 0 and not has_waited(stream)) then return end
  local new = redis.pcall('XREADGROUP', 'GROUP', group, consumer, 'COUNT', most, 'STREAMS', stream, '>')
  if new and new.err then
    create_group(stream, group)
    new = redis.call('XREADGROUP', 'GROUP', group, consumer, 'COUNT', most, 'STREAMS', stream, '>')
  end
  if new then
    for _, entry in ipairs(new[1][2]) do add_row(provider, notes, entry, 1, is_probe) end
  end
end

-- Claims one batch of a paused provider, to probe whether the provider works again, if the interval between probes is
-- over.
local function claim_probe(provider, stream, notes, pause)
  if not pause.every or pause.at > now then return end
  local before = #rows
  claim(provider, stream, notes, 1, 1)
  if #rows > before then
    pause.at = now + pause.every
    redis.call('HSET', pauses, provider, cmsgpack.pack(pause))
  end
end

local providers = #ARGV - FIRST_PROVIDER + 1
-- In the first round each provider gets an equal share of the batches to claim; in the second round any provider may
-- fill the rest.
for round = 1, 2 do
  for i = 1, providers do
    local provider = ARGV[FIRST_PROVIDER + i - 1]
    local stream, notes = KEYS[FIRST_STREAM + 2 * i - 2], KEYS[FIRST_STREAM + 2 * i - 1]
    local most = round == 1 and math.ceil(left / (providers - i + 1)) or left
    if most > 0 and redis.call('EXISTS', stream) == 1 then
      local pause = redis.call('HGET', pauses, provider)
      if not pause then
        claim(provider, stream, notes, most, 0)
      elseif round == 1 then
        claim_probe(provider, stream, notes, cmsgpack.unpack(pause))
      end
    end
  end
end
return rows
