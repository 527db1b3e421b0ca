--- @include clock
--- @include write-batch

-- Stores a batch: in its stream, or with a delay among the delayed batches, from which claim-batches.lua moves it to
-- its stream when the delay is over. `now` is in Unix ms. `retries`, `bodies` and `last` are names of keys: delayed
-- batches by time, their fields, and the number of the last one. Returns whether the batch can be claimed at once.
local function add_batch(stream, batch, delay_ms, now, retries, bodies, last)
  if tonumber(delay_ms) == 0 then
    write_batch(stream, batch)
    return true
  end
  batch.s = stream
  local id = redis.call('INCR', last)
  redis.call('HSET', bodies, id, cmsgpack.pack(batch))
  redis.call('ZADD', retries, to_digits(now + delay_ms), id)
  return false
end
