-- Stores a hash without its long values anew, without an expiry. Redis keeps the large encoding of a hash that once had
-- a long value, which takes several times the memory.
local function shrink(hash)
  local fields = redis.call('HGETALL', hash)
  if #fields == 0 then return end
  redis.call('DEL', hash)
  redis.call('HSET', hash, unpack(fields))
end
