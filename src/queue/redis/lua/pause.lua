#!lua flags=allow-oom
-- Pauses a provider. A pause without probes, which an operator sets, is not replaced by one with probes, which a worker
-- sets.
-- KEYS: 1 pauses
-- ARGV: 1 provider  2 reason  3 interval of probes, ms ('' = no probes)  4 deadline, Unix ms
-- A second run restarts the interval until the first probe.
--- @include refuse-late
refuse_late(ARGV[4])
local pauses, provider, reason, interval_ms = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local known = redis.call('HGET', pauses, provider)
if known and not cmsgpack.unpack(known).every then return end
local pause = { reason = reason }
if interval_ms then
  pause.every = interval_ms
  pause.at = read_clock() + interval_ms
end
redis.call('HSET', pauses, provider, cmsgpack.pack(pause))
