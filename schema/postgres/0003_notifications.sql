-- What became of notifications, with the columns of Centrifugo PRO's ClickHouse table of the same name.

create table notifications (
  uid text not null,
  provider text not null default '',
  type text not null default '',
  recipient text not null default '',
  device_id text not null default '',
  platform text not null default '',
  user_id text not null default '',
  msg_id text not null default '',
  status text not null,
  error_message text not null default '',
  error_code text not null default '',
  time timestamptz not null default clock_timestamp()
);

-- Rows are written in the order of their time and deleted by it.
create index notifications_time on notifications using brin (time);
