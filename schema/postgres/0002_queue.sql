-- The queue: sends, stored once, and the batches that fan-out makes of them. src/queue/queue.ts tells their life.
--
-- One column, claimable_at, is lease, delay and schedule at once: a row may be claimed when that time has come, and a
-- claim moves it to the end of the lease. A row whose worker died becomes claimable by itself.
-- fence counts the claims; whoever still works under an older one changes nothing.

create table push_sends (
  uid text primary key,
  -- 0 waiting, 1 fanning, 2 fanned, 3 done, 4 cancelled
  state smallint not null,
  -- null: cancelled before the send itself arrived
  request_hash bytea,
  -- null once the send has ended
  content bytea,
  -- null when there is nothing (more) to walk
  claimable_at timestamptz,
  expire_at timestamptz,
  fence bigint not null default 0,
  cursor text,
  open_batches integer not null default 0,
  ended_at timestamptz
);

-- Compressing message bytes and tokens costs more time than it saves space for the minutes they live.
alter table push_sends alter column content set storage external;

create index push_sends_claimable on push_sends (claimable_at) where claimable_at is not null;
create index push_sends_ended on push_sends (ended_at) where ended_at is not null;

create table push_batches (
  id bigint generated always as identity primary key,
  uid text not null,
  -- 0 small, 1 broadcast
  lane smallint not null,
  provider text not null,
  target_kind text not null,
  -- a line per target: device id, tab, token
  targets text not null,
  claimable_at timestamptz not null,
  fence bigint not null default 0,
  claimed boolean not null default false,
  attempt smallint not null default 0,
  ambiguous_attempts smallint not null default 0,
  first_attempt_at timestamptz
) with (
  -- Every row is written, claimed and deleted within seconds: vacuum by count, not by share of the table.
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 500,
  autovacuum_vacuum_cost_delay = 0
);

alter table push_batches alter column targets set storage external;

create index push_batches_claimable on push_batches (lane, claimable_at);
