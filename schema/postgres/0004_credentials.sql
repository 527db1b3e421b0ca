-- Credentials that all workers share because their provider allows few of them, such as the token for APNs. The rule when
-- one is renewed is in the code that asks (src/providers/credential-cache.ts).
--
-- Locks: who renews one holds its row until it is stored.

create table credentials (
  name text collate "C" primary key,
  -- Null until the first one is stored.
  value text,
  stored_at timestamptz not null default clock_timestamp()
);
