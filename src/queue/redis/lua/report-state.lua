--- @include read-fields

-- Returns the state of a send from the list of fields and values of its report. `now` is in Unix ms.
local function read_report_state(list, now)
  local fields = read_fields(list)
  if fields.cancelled then return 'cancelled' end
  if fields.ended then return 'ended' end
  return (tonumber(fields.send) or 0) > now and 'scheduled' or 'active'
end
