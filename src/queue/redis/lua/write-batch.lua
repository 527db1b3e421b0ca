-- The format of a batch. It is stored data: other versions of the server read it too. A batch is an entry of its stream
-- with these fields, or while it is delayed a MessagePack map of the same fields and `s`.
--   u  uid of its send
--   k  kind of its targets: token, topic or condition
--   n  number of its targets
--   t  the target lines, or instead
--   b  the key that holds them
--   a  attempts before the entry was written; each delivery of the entry is one more
--   m  ambiguous attempts
--   f  Unix ms of the first claim, '' before it
--   s  the stream of a delayed batch

-- Returns a batch without attempts. `is_key`: `targets` is the key that holds the target lines.
local function make_batch(uid, kind, count, targets, is_key)
  local batch = { u = uid, k = kind, n = count, a = '0', m = '0', f = '' }
  batch[is_key and 'b' or 't'] = targets
  return batch
end

-- Writes a batch to its stream, where it can be claimed at once. Returns the id of the entry.
local function write_batch(stream, batch)
  return redis.call('XADD', stream, '*', 'u', batch.u, 'k', batch.k, 'n', batch.n,
    batch.b and 'b' or 't', batch.b or batch.t, 'a', batch.a, 'm', batch.m, 'f', batch.f)
end
