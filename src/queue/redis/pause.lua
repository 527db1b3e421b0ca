#!lua flags=allow-oom
-- Pauses a provider. A pause without probes, an operator's, stays one when a worker pauses the same provider.
-- KEYS: 1 pauses
-- ARGV: 1 provider  2 reason  3 probe every, ms ('' = no probes)
-- Run twice it is the same pause, its next probe counted from the second time.
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and not cmsgpack.unpack(known).every then return end
local pause = { reason = ARGV[2] }
if ARGV[3] ~= '' then
  local time = redis.call('TIME')
  pause.every = tonumber(ARGV[3])
  pause.at = time[1] * 1000 + math.floor(time[2] / 1000) + pause.every
end
redis.call('HSET', KEYS[1], ARGV[1], cmsgpack.pack(pause))
