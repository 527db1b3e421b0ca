-- A send is done when its fan-out has ended and none of its batches is open: stored and not acknowledged.

-- Ends a send. Its uid is kept, so that a repeated request is recognised; with dead letters its content is kept too.
local function end_send(send, exclusions, keep_seconds, keep_with_dead_letters_seconds)
  local keep = keep_seconds
  if redis.call('HEXISTS', send, 'dead') == 1 then
    keep = keep_with_dead_letters_seconds
  else
    redis.call('HDEL', send, 'content')
  end
  redis.call('HSET', send, 'state', 'done')
  redis.call('EXPIRE', send, keep)
  redis.call('EXPIRE', exclusions, keep)
end

-- Changes the number of open batches of a send. Returns the new number.
local function count_open_batches(send, change)
  return redis.call('HINCRBY', send, 'open', change)
end
