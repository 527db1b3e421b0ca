#!lua flags=allow-oom
-- Runs each command of the server once, on a key without a value, and finds the one that the ACL of the user refuses.
-- KEYS: 1 a key that nothing else uses; it has no value afterwards
-- ARGV: 1 a channel; subscribers get an empty message
-- Returns the error of the refusal, or nothing. A second run is the same.
local key, channel = KEYS[1], ARGV[1]
local commands = {
  { 'EXISTS', key },
  { 'TIME' },
  { 'HSET', key, 'f', '1' },
  { 'HGET', key, 'f' },
  { 'HMGET', key, 'f' },
  { 'HGETALL', key },
  { 'HEXISTS', key, 'f' },
  { 'HINCRBY', key, 'f', 1 },
  { 'HDEL', key, 'f' },
  { 'SET', key, '', 'PX', 1000 },
  { 'GET', key },
  { 'MGET', key },
  { 'EXPIRE', key, 1 },
  { 'PERSIST', key },
  { 'DEL', key },
  { 'INCR', key },
  { 'UNLINK', key },
  { 'ZADD', key, 1, 'm' },
  { 'ZRANGE', key, 0, 0 },
  { 'ZCOUNT', key, 0, 1 },
  { 'ZCARD', key },
  { 'ZREM', key, 'm' },
  { 'SADD', key, 'm' },
  { 'SCARD', key },
  { 'SMEMBERS', key },
  { 'SMISMEMBER', key, 'm' },
  { 'DEL', key },
  { 'LPUSHX', key, '' },
  { 'XGROUP', 'CREATE', key, 'g', '0', 'MKSTREAM' },
  { 'XADD', key, '*', 'f', '' },
  { 'XLEN', key },
  { 'XRANGE', key, '-', '+' },
  { 'XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', 1, 'STREAMS', key, '>' },
  { 'XPENDING', key, 'g' },
  { 'XCLAIM', key, 'g', 'c', 0, '0-1' },
  { 'XACK', key, 'g', '0-1' },
  { 'XDEL', key, '0-1' },
  { 'XINFO', 'GROUPS', key },
  { 'XINFO', 'CONSUMERS', key, 'g' },
  { 'XGROUP', 'DELCONSUMER', key, 'g', 'c' },
  { 'XTRIM', key, 'MAXLEN', 0 },
  { 'PUBLISH', channel, '' },
}
local refusal
for _, command in ipairs(commands) do
  local reply = redis.pcall(unpack(command))
  if type(reply) == 'table' and reply.err and not refusal then refusal = command[1] .. ': ' .. reply.err end
end
redis.pcall('DEL', key)
return refusal
