-- Reads the value of one field of a stream entry; nil if the entry does not have the field. Cheaper than read_fields(),
-- which makes a table of all fields.
local function read_field(list, name)
  for i = 1, #list, 2 do
    if list[i] == name then return list[i + 1] end
  end
end
