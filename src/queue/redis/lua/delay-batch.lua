--- @include clock

-- Stores a batch that can be claimed from the time `due` on, in Unix ms. claim-batches.lua moves it to its stream then.
-- `retries`, `bodies` and `last` are keys: delayed batches by time, their fields, and the number of the last one.
local function delay_batch(stream, batch, due, retries, bodies, last)
  batch.s = stream
  local id = redis.call('INCR', last)
  redis.call('HSET', bodies, id, cmsgpack.pack(batch))
  redis.call('ZADD', retries, to_digits(due), id)
end
