-- Login of people by OIDC, and logouts. src/admin/ has all statements on these tables.

-- The person at the identity provider; empty for passwords.
alter table admin_actions add column person text not null default '';

-- Sessions of the web UI that a logout has ended. A row is needed until the tokens of its session expire.
create table admin_ended_sessions (
  id text primary key,
  expires_at timestamptz not null
);

create index admin_ended_sessions_expires_at on admin_ended_sessions (expires_at);
