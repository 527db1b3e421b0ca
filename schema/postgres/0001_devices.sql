-- Devices and the topics that they and their users follow. src/devices/ holds every statement on these tables.
--
-- Locks. Who changes a device or its topics first locks the device's row, several of them in the order of their ids, and
-- touches device_topics in a later statement, which then sees what was committed while it waited. So topics of a device
-- never outlive it and a rebuilt set is what its writer wrote; foreign keys would check this again at each of a
-- million inserts. Before that come advisory locks, several of a kind in the order of their keys. First users': who
-- copies a user's topics to devices holds it shared, who changes the list exclusively, so that no device misses a change.
-- Then those of the tokens and ids that are registered, which may have no row yet.
--
-- Wide columns first and text last: no bytes are lost to alignment.

-- What makes (provider, token) unique: a digest, because a token may be longer than an index entry can be. Every part of it
-- is immutable, so that the planner puts it in place of each call, which takes a third of the time; convert_to() is not,
-- and the cast reads backslashes as escapes.
create function token_digest(token text) returns bytea
  language sql immutable strict parallel safe
  return pg_catalog.sha256(pg_catalog.replace(token, '\', '\\')::bytea);

create table devices (
  -- The 128 bits of the ULID in the API's id, so ids sort by the time of their first registration.
  id uuid primary key,
  created_at timestamptz not null,
  -- The last device_register or device_update.
  updated_at timestamptz not null,
  -- The last device_register: a token that was called dead before that may be alive again.
  registered_at timestamptz not null,
  -- 1 fcm, 2 hms, 3 apns, 4 webpush
  provider smallint not null,
  -- 1 ios, 2 android, 3 web
  platform smallint not null,
  -- For webpush the subscription's endpoint.
  token text not null,
  -- Empty: nobody's.
  user_id text collate "C" not null default '',
  timezone text not null default '',
  locale text not null default '',
  -- For webpush only: {"p256dh":"…","auth":"…"}, the text that device_list returns.
  webpush_keys text,
  -- An object of strings; null when there are none.
  meta jsonb
);

-- One token, one device.
create unique index devices_token on devices (provider, token_digest(token));
-- Filters by user, and user_topic_update.
create index devices_user on devices (user_id, id);
-- Filters by provider and by platform.
create index devices_provider on devices (provider, platform, id);

-- The planner takes columns for independent, but apns has no android, and a kiosk's user one platform.
create statistics devices_kind (mcv) on provider, platform from devices;
create statistics devices_user_kind (mcv) on user_id, provider, platform from devices;

-- The names behind topic_id: twelve bytes of a name in each subscription and its indexes would be most of its size.
-- Rows are only ever added.
create table topics (
  id integer generated always as identity primary key,
  name text collate "C" not null unique
);

-- What a device is subscribed to. A send to a topic walks it by (topic_id, device_id).
create table device_topics (
  topic_id integer not null,
  device_id uuid not null,
  primary key (topic_id, device_id)
);

-- A device's topics: to rebuild, list and remove them.
create index device_topics_device on device_topics (device_id);

-- What each user follows: copied to a device when it is registered. The user '' stands for everyone.
create table user_topics (
  topic_id integer not null,
  user_id text collate "C" not null,
  -- A user's topics.
  primary key (user_id, topic_id)
);

-- The order of user_topic_list, and its filters by topic.
create index user_topics_topic on user_topics (topic_id, user_id);

-- Devices removed because their provider called the token dead, or because they were inactive for too long: kept for a
-- week in case that was wrong.
create table removed_devices (
  removed_at timestamptz not null,
  provider smallint not null,
  reason text not null,
  -- The row of devices, with the names of its topics as "topics".
  device jsonb not null
);

create index removed_devices_at on removed_devices (removed_at);
