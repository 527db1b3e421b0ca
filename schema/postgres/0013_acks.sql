-- Exclusions by acks of clients, beside those by cancellations. Locks push_drops exclusively, and rewrites its index.

alter table push_drops
  -- 0 cancelled, 1 acknowledged as seen, 2 acknowledged as received
  add column kind smallint not null default 0,
  drop constraint push_drops_pkey,
  add primary key (uid, user_id, device_id, kind);
