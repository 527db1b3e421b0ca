-- Creates the consumer group of a stream. It starts at 0, not at the last entry: entries that were written before the
-- group was created have to be delivered too.
local function create_group(stream, group)
  redis.call('XGROUP', 'CREATE', stream, group, '0')
end
