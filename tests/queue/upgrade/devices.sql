-- The devices that the stored sends address: all of them are subscribed to `all`, the first 150 to `few`.
insert into topics (name) values ('all'), ('few');

insert into devices (id, created_at, updated_at, registered_at, provider, platform, token, user_id)
select md5('device ' || i)::uuid, now(), now(), now(), case when i % 10 = 0 then 2 else 1 end, 2,
  case when i % 10 = 0 then 'hms-' else 'fcm-' end || i, 'user-' || i
from generate_series(1, 12000) as i;

insert into device_topics (topic_id, device_id)
select t.id, md5('device ' || i)::uuid from topics t cross join generate_series(1, 12000) as i
where t.name = 'all' or i <= 150;

analyze devices, device_topics;
