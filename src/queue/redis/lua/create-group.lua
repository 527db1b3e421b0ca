-- Creates the consumer group of a stream. The group starts at entry 0, not at the last one, so that entries that were
-- written before the group was created are delivered too.
local function create_group(stream, group)
  redis.call('XGROUP', 'CREATE', stream, group, '0')
end
