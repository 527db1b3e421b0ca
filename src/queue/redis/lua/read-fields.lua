-- Reads a list of names and values: the fields of a stream's entry, or one item of an XINFO reply. write-batch.lua
-- describes the fields of a batch.
local function read_fields(list)
  local fields = {}
  for i = 1, #list, 2 do fields[list[i]] = list[i + 1] end
  return fields
end
