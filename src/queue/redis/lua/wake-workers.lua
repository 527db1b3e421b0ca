-- Announces work: publishes to the channel of a lane, which the workers of the lane listen to. The message is the kind of
-- the work: `sends`, `batches`, or '' for all kinds. A channel of a Cluster is published in the shard of the queue's
-- keys only, so that the announcement costs nothing on other servers.
local function wake_workers(channel, kind)
  local is_sharded = string.find(channel, '}:shard-work:', 1, true)
  redis.call(is_sharded and 'SPUBLISH' or 'PUBLISH', channel, kind)
end
