-- The queue: sends, stored once, and the batches that fan-out makes of them. src/queue/queue.ts tells their life.
--
-- One column, claimable_at, is lease, delay and schedule at once: a row may be claimed when that time has come, and a
-- claim moves it to the end of the lease. A row whose worker died becomes claimable by itself.
-- fence counts the claims; whoever still works under an older one changes nothing.
--
-- Locks: who changes several sends locks their rows in the order of their uids.

create table push_sends (
  uid text primary key,
  -- 0 waiting, 1 fanning, 2 fanned, 3 done, 4 cancelled, 5 announced: drops came before the send itself
  state smallint not null,
  -- 0 small, 1 broadcast
  lane smallint not null default 1,
  -- null: cancelled or announced, and the send itself has not come
  request_hash bytea,
  -- null once there is nothing (more) to walk
  recipient bytea,
  -- null once the send has ended, unless it left dead letters
  content bytea,
  -- null when there is nothing (more) to walk
  claimable_at timestamptz,
  expire_at timestamptz,
  fence bigint not null default 0,
  cursor text,
  open_batches integer not null default 0,
  -- Rows in push_drops.
  drops integer not null default 0,
  has_dead_letters boolean not null default false,
  -- When the row, and with it drops and dead letters, is deleted; null while the send lives.
  forget_at timestamptz
);

-- Compressing message bytes and tokens costs more time than it saves space for the minutes they live.
alter table push_sends alter column content set storage external;
alter table push_sends alter column recipient set storage external;

create index push_sends_claimable on push_sends (lane, claimable_at) where claimable_at is not null;
create index push_sends_forget on push_sends (forget_at) where forget_at is not null;

create table push_batches (
  id bigint generated always as identity primary key,
  uid text not null,
  -- 0 small, 1 broadcast
  lane smallint not null,
  provider text not null,
  target_kind text not null,
  target_count integer not null,
  -- a line per target, as src/queue/targets.ts writes them
  targets text not null,
  claimable_at timestamptz not null,
  fence bigint not null default 0,
  claimed boolean not null default false,
  attempt smallint not null default 0,
  ambiguous_attempts smallint not null default 0,
  first_attempt_at timestamptz,
  -- a bit per target, noted by the attempt at hand
  settled bytea
) with (
  -- Every row is written, claimed and deleted within seconds: vacuum by count, not by share of the table.
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 500,
  autovacuum_vacuum_cost_delay = 0
);

alter table push_batches alter column targets set storage external;

-- By provider: the work of one that is paused must not be read again at each claim of the others.
create index push_batches_claimable on push_batches (provider, lane, claimable_at);

-- Targets left out of a send that is on its way. An empty device id means all devices of the user.
create table push_drops (
  uid text not null references push_sends on delete cascade,
  user_id text not null,
  device_id text not null,
  primary key (uid, user_id, device_id)
);

create table push_dead_letters (
  id bigint generated always as identity primary key,
  uid text not null references push_sends on delete cascade,
  provider text not null,
  lane smallint not null,
  target_kind text not null,
  target_count integer not null,
  targets text not null,
  reason text not null,
  attempts smallint not null,
  given_up_at timestamptz not null
);

create index push_dead_letters_uid on push_dead_letters (uid);

create table push_pauses (
  provider text primary key,
  reason text not null,
  -- null: until an operator resumes it
  probe_at timestamptz,
  probe_every_ms bigint
);
