-- Announces work: the workers of a lane listen to its channel.
local function wake_workers(channel)
  redis.call('PUBLISH', channel, '')
end
