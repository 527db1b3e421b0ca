--- @include report
--- @include shrink

-- Changes the number of open batches of a send: stored and not acknowledged. Ends the send when its fan-out has ended
-- (`is_fanned`) and no batch is open. The uid of an ended send is kept for a while, so that a repeated request is
-- recognised; with dead letters its content and recipient are kept too. Its report ends. Returns the new number.
local function count_open_batches(
  send, exclusions, report, change, is_fanned, keep_seconds, keep_with_dead_letters_seconds
)
  local open = redis.call('HINCRBY', send, 'open', change)
  if is_fanned and open == 0 then
    local keep = keep_seconds
    if redis.call('HEXISTS', send, 'dead') == 1 then
      keep = keep_with_dead_letters_seconds
    else
      redis.call('HDEL', send, 'content', 'recipient')
      shrink(send)
    end
    redis.call('HSET', send, 'state', 'done')
    redis.call('EXPIRE', send, keep)
    redis.call('EXPIRE', exclusions, keep)
    end_report(report, read_clock())
  end
  return open
end
