-- Range batches: a batch whose targets are a range of devices is stored, claimed and recovered like a batch of lines.
-- Replaces the tables push_walks and push_pages, which gave such batches a path of their own. A process of the previous
-- version fails on the missing tables: it accepts no send that this version would not see.
-- Locks: all of the queue's tables, exclusively.

alter table push_sends
  -- Batches of the send are ranges, so its recipient is kept until it is over.
  add column has_ranges boolean not null default false;

-- Walks go on where they were. Pages are counted in open_batches from now on, like all batches.
update push_sends as s set
  claimable_at = w.claimable_at, cursor = w.cursor, fence = greatest(s.fence, w.fence) + 1,
  open_batches = s.open_batches + w.pages, has_ranges = true
from push_walks w
where s.uid = w.uid and s.state = 0;

update push_sends set has_ranges = true
where uid in (select uid from push_pages union select uid from push_batches where targets is null);

-- A page becomes a batch for each provider that the send addresses and has a notification for. It has at most 5,000 devices.
with opened as (
  insert into push_batches (uid, lane, provider, target_kind, target_count, claimable_at, range_after, range_until)
  select p.uid, 1, n.notification ->> 'provider', 'token', 5000, clock_timestamp(), p.range_after,
    coalesce(p.range_until, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
  from push_pages p
  join push_sends s on s.uid = p.uid and s.content is not null and s.recipient is not null
  cross join lateral json_array_elements(convert_from(s.content, 'UTF8')::json -> 'notifications') as n (notification)
  cross join lateral (select (convert_from(s.recipient, 'UTF8')::json #> '{filter,providers}')::jsonb as names) as providers
  where providers.names = '[]' or providers.names ? (n.notification ->> 'provider')
  returning uid
)
update push_sends as s set
  open_batches = s.open_batches + coalesce(o.batches, 0) - p.pages
from (select uid, count(*)::integer as pages from push_pages group by uid) as p
left join (select uid, count(*)::integer as batches from opened group by uid) as o using (uid)
where s.uid = p.uid;

-- A send whose last pages gave no batch is over.
update push_sends set
  state = 3, recipient = case when has_dead_letters then recipient end, content = case when has_dead_letters then content end,
  forget_at = clock_timestamp() + case when has_dead_letters then interval '7 days' else interval '24 hours' end
where state = 2 and open_batches = 0 and uid in (select uid from push_pages);

drop table push_pages;
drop table push_walks;
drop index push_batches_taken;

alter table push_dead_letters
  alter column targets drop not null,
  add column range_after text,
  add column range_until text,
  add constraint push_dead_letters_targets check ((targets is null) = (range_until is not null));
