-- Returns the time of Redis' clock in Unix ms.
local function read_clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Formats a time or a duration in ms without fraction and exponent.
local function to_digits(number)
  return string.format('%.0f', number)
end
