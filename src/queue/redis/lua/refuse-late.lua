--- @include clock

-- Ends the script with an error after a deadline, in Unix ms by this server's clock: the call has already been answered
-- with an error, so it must not be executed. It has to come before the first write.
local function refuse_late(deadline_ms)
  if read_clock() > tonumber(deadline_ms) then error({ err = 'LATE the deadline of this call has passed' }) end
end
