-- Reads one field of a stream's entry; nil when the entry does not have it. It costs less than a table of all fields.
local function read_field(list, name)
  for i = 1, #list, 2 do
    if list[i] == name then return list[i + 1] end
  end
end
