-- The counts of each hour: charts of a week and of a month read these instead of sixty times as many minutes.
-- src/analytics/postgres/ has all statements on this table. It has no partitions, because it has few rows.
--
-- Locks: blocks writers of notification_counts while the hours are added up. Who adds to both tables locks rows of
-- notification_counts first, and the rows of each table in the order of their keys.

create table notification_hours (
  -- In UTC.
  hour timestamptz not null,
  provider text not null,
  type text not null,
  platform text not null,
  status text not null,
  error_code text not null,
  count bigint not null,
  primary key (hour, provider, type, platform, status, error_code)
);

lock table notification_counts in share mode;

insert into notification_hours (hour, provider, type, platform, status, error_code, count)
select date_bin('1 hour', minute, to_timestamp(0)), provider, type, platform, status, error_code, sum(count)
from notification_counts
group by 1, 2, 3, 4, 5, 6;
