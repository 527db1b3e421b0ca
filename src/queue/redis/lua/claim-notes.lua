-- The notes on the claims of a stream: fields of one hash, each named by the id of an entry and a letter.

-- The Unix ms of the first claim of the batch.
local function first_claim_field(id) return id .. 'f' end

-- The bits of its finished targets, stored by a checkpoint.
local function finished_field(id) return id .. 's' end
