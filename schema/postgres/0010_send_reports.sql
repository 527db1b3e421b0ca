-- The reports of sends (src/queue/report.ts). While a send is kept in push_sends, its report is in the same row, which
-- each acknowledgement updates anyway. push_reports keeps the reports of sends that were deleted there.
-- Locks: push_sends and push_batches, exclusively, for a moment.

alter table push_sends
  add column accepted_at timestamptz not null default now(),
  add column send_at timestamptz,
  -- null: the uid
  add column analytics_uid text,
  -- providers and recipient, as JSON; null for sends of an earlier version
  add column subject text,
  -- numbers by the names of src/queue/stored-report.ts
  add column counts jsonb not null default '{}',
  add column delivered bigint not null default 0,
  add column interacted bigint not null default 0,
  -- the first and the last acknowledgement that counted a target
  add column first_at timestamptz,
  add column last_at timestamptz,
  -- when the last batch was acknowledged
  add column ended_at timestamptz;

-- The order of push_list.
create index push_sends_accepted on push_sends (accepted_at, uid);

alter table push_batches
  -- Whether the batch is a retry, whose targets the report counts as retrying.
  add column retrying boolean not null default false,
  -- A note of the worker beside the bits in "settled".
  add column settled_note text;

create table push_reports (
  uid text primary key,
  -- 3 done, 4 cancelled, as in push_sends
  state smallint not null,
  accepted_at timestamptz not null,
  send_at timestamptz,
  expire_at timestamptz,
  analytics_uid text,
  subject text,
  counts jsonb not null,
  delivered bigint not null,
  interacted bigint not null,
  first_at timestamptz,
  last_at timestamptz,
  ended_at timestamptz not null
);

create index push_reports_accepted on push_reports (accepted_at, uid);
-- Deletion by age.
create index push_reports_ended on push_reports (ended_at);
