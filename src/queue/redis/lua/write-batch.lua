-- The format of a batch. It is stored data: other versions of the server read it too. A batch is an entry of its stream
-- with these fields, or while it is delayed a MessagePack map of the same fields and `s`.
--   u  uid of its send
--   k  kind of its targets: token, topic or condition
--   n  number of its targets
--   t  the target lines, or instead
--   b  the key that holds them, or
--   d  a range of devices: the uuid before it ('' = from the first), a space, the uuid of its last device
--   a  attempts before the entry was written; each delivery of the entry is one more
--   m  ambiguous attempts
--   f  Unix ms of the first claim, '' before it
--   r  '1' if the batch is a retry; absent in other batches
--   s  the stream of a delayed batch

-- Makes a batch with no attempts yet. `form` is the name of the field that stores the targets: t, b or d.
local function make_batch(uid, kind, count, form, targets)
  local batch = { u = uid, k = kind, n = count, a = '0', m = '0', f = '' }
  batch[form] = targets
  return batch
end

-- Writes a batch to its stream, where it can be claimed at once. Returns the id of the new stream entry.
local function write_batch(stream, batch)
  local form = batch.b and 'b' or batch.d and 'd' or 't'
  local fields = {
    'u', batch.u, 'k', batch.k, 'n', batch.n, form, batch[form], 'a', batch.a, 'm', batch.m, 'f', batch.f,
  }
  if batch.r then fields[#fields + 1], fields[#fields + 2] = 'r', batch.r end
  return redis.call('XADD', stream, '*', unpack(fields))
end
