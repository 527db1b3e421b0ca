-- A grant is written by one expression, which costs half of what two did: times and ids become one list. `place` brings
-- a key's place in the last call to the row, as `asked` does its asks, so that answers need not be matched with the calls
-- by their keys. With half of each page free, nearly all updates stay on theirs (HOT).

-- Of each grant its time and its id, which is above any time; by time.
alter table rate_limits add column grants bigint[];
alter table rate_limits alter column grants set storage external;
update rate_limits set grants = array(
  select number
  from unnest(times, ids) with ordinality as held (time, id, place),
    unnest(array[time, id | (1::bigint << 60)]) with ordinality as one (number, half)
  order by place, half
);
delete from rate_limits where grants = '{}';
alter table rate_limits alter column grants set not null, drop column times, drop column ids;

alter table rate_limits add column place integer not null default 0;
alter table rate_limits set (fillfactor = 50);
