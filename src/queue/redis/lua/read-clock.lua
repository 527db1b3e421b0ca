#!lua flags=no-writes
-- Returns the time of the server that has the keys of the queue, in Unix ms.
-- KEYS: 1 any key of the queue
--- @include clock
return to_digits(read_clock())
