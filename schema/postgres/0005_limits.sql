-- Rate limits: for each key the times of its last grants, and to whom they went. src/limits/rate-limiter.ts says what
-- that promises.
--
-- Times are Unix ms of the server's clock. A row is written whenever its key is asked for, never by its index, so that
-- all updates stay on their page (HOT). Nothing refers to it, and it is deleted once all of it is older than keep_ms.
--
-- Locks: a statement locks rows in the order of their keys, which is byte order; upkeep passes over locked ones.

create table rate_limits (
  key text collate "C" primary key,
  -- Ascending; ids[n] is the hash of the ask that was granted at times[n].
  times bigint[] not null,
  ids bigint[] not null,
  -- The asks of the last call. An upsert can bring them to the row that it finds in a column only.
  asked bigint[] not null,
  decided_at bigint not null,
  -- As many grants, and for as long, as the widest policies need that the key was asked for with.
  keep_count integer not null,
  keep_ms bigint not null
) with (
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_cost_delay = 0
);

-- Compressing times that are rewritten with each grant costs more than it saves.
alter table rate_limits alter column times set storage external;
alter table rate_limits alter column ids set storage external;
alter table rate_limits alter column asked set storage external;
