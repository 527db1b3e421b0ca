-- The notes on the claims of a stream are a hash. The name of a field is the id of an entry and one of these letters.
-- The Unix ms of the first claim of the batch:
local FIRST_CLAIM = 'f'
-- The bits of the batch's finished targets, stored by a checkpoint:
local FINISHED = 's'
-- The note of the worker that stored the checkpoint:
local NOTE = 'n'
