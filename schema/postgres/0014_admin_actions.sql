-- The changes that were made in the admin web UI. src/admin/actions/ has all statements on this table.
create table admin_actions (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  -- admin or viewer; empty for a failed login
  role text not null,
  -- The address of the client.
  address text not null,
  request_id text not null,
  action text not null,
  -- The object of the action: the uid of a send, the id of a device, a provider.
  target text not null,
  detail text not null,
  -- Empty until the action has ended.
  outcome text not null default ''
);

create index admin_actions_at on admin_actions (at);
