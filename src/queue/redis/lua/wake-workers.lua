-- Announces work: publishes to the channel of a lane, which the workers of the lane listen to.
local function wake_workers(channel)
  redis.call('PUBLISH', channel, '')
end
