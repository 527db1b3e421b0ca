-- Analytics without ClickHouse, in partitions of one day in UTC, which are dropped as a whole. The columns of
-- notifications are those of Centrifugo PRO's ClickHouse table of the same name; user_id is its "user".
-- src/analytics/postgres/ has all statements on these tables.
--
-- Locks: who adds to notification_counts locks its rows in the order of their keys.

alter table notifications rename to old_notifications;

-- Orders rows of the same time.
create sequence notification_ids cache 1000;

-- The final events of targets, and the reports of apps.
create table notifications (
  time timestamptz not null,
  id bigint not null default nextval('notification_ids'),
  uid text collate "C" not null,
  provider text not null default '',
  type text not null default '',
  recipient text not null default '',
  device_id text collate "C" not null default '',
  platform text not null default '',
  user_id text collate "C" not null default '',
  msg_id text not null default '',
  status text not null,
  error_code text not null default '',
  error_message text not null default ''
) partition by range (time);

-- The lists of push_events, the newest rows first.
create index notifications_uid on notifications (uid, time);
create index notifications_device on notifications (device_id, time) where device_id <> '';
create index notifications_user on notifications (user_id, time) where user_id <> '';

-- Attempts that did not end their target.
create table notification_attempts (
  time timestamptz not null,
  id bigint not null default nextval('notification_ids'),
  uid text collate "C" not null,
  provider text not null,
  type text not null,
  recipient text not null,
  device_id text collate "C" not null,
  platform text not null,
  user_id text collate "C" not null,
  attempt integer not null,
  error_code text not null,
  error_message text not null,
  latency_ms integer not null
) partition by range (time);

create index notification_attempts_uid on notification_attempts (uid, time);
create index notification_attempts_device on notification_attempts (device_id, time) where device_id <> '';
create index notification_attempts_user on notification_attempts (user_id, time) where user_id <> '';

-- The events and reports of each minute, also those without a row.
create table notification_counts (
  minute timestamptz not null,
  provider text not null,
  type text not null,
  platform text not null,
  status text not null,
  error_code text not null,
  count bigint not null,
  primary key (minute, provider, type, platform, status, error_code)
) partition by range (minute);

-- The number of the last batch that each process has stored. A batch that is stored again changes nothing.
create table notification_writers (
  id uuid primary key,
  batch bigint not null,
  time timestamptz not null
);

-- Makes the missing partitions of the days from first_day to last_day. A partition is attached, because that blocks
-- neither writers nor readers of its table. It runs with the rights of the owner of the tables, so the server needs no
-- right to make tables.
create function prepare_notification_days(first_day date, last_day date) returns void
  language plpgsql security definer set search_path from current as $$
declare
  parent text;
  day date;
  child text;
begin
  if not has_table_privilege(session_user, 'notifications', 'insert') then
    raise insufficient_privilege using message = 'the right to insert into notifications is needed';
  end if;
  foreach parent in array array['notifications', 'notification_attempts', 'notification_counts'] loop
    for day in select generate_series(first_day, last_day, interval '1 day') loop
      child := parent || '_' || to_char(day, 'YYYYMMDD');
      continue when to_regclass(child) is not null;
      perform pg_advisory_xact_lock(hashtext('notification_days'));
      continue when to_regclass(child) is not null;
      execute format('create table %I (like %I including defaults including indexes)', child, parent);
      execute format(
        'alter table %I attach partition %I for values from (%L) to (%L)',
        parent, child, day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC'
      );
    end loop;
  end loop;
end
$$;

-- Drops the partitions of the days before first_kept_day. Fails if readers hold a partition for too long.
create function drop_notification_days(first_kept_day date) returns void
  language plpgsql security definer set search_path from current set lock_timeout = '2s' as $$
declare
  child regclass;
begin
  if not has_table_privilege(session_user, 'notifications', 'delete') then
    raise insufficient_privilege using message = 'the right to delete from notifications is needed';
  end if;
  for child in
    select inhrelid from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent in ('notifications'::regclass, 'notification_attempts'::regclass, 'notification_counts'::regclass)
      and right(relname, 8) < to_char(first_kept_day, 'YYYYMMDD')
  loop
    execute format('drop table %s', child);
  end loop;
end
$$;

select prepare_notification_days(
  (clock_timestamp() at time zone 'UTC')::date - 8, (clock_timestamp() at time zone 'UTC')::date + 2
);

insert into notifications (time, uid, provider, type, recipient, device_id, platform, user_id, msg_id, status,
  error_code, error_message)
select date_trunc('milliseconds', time), uid, provider, type, recipient, device_id, platform, user_id, msg_id, status,
  error_code, error_message
from old_notifications
where time > clock_timestamp() - interval '7 days' and time < clock_timestamp() + interval '1 day'
order by time;

drop table old_notifications;

-- explain_push looks for a removed device by its id, and for those of a user.
create index removed_devices_id on removed_devices ((device ->> 'id'));
create index removed_devices_user on removed_devices ((device ->> 'user_id'));
