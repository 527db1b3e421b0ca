-- One spelling for the device tokens of APNs, lower-case hexadecimal. Earlier versions stored a token as the app wrote it:
-- in upper case, in groups between < and >, or in base64. An app that registers again would be a second device of its
-- phone. Of several devices of one phone, the one that registered last is kept; the others go to removed_devices, from
-- where "centripush devices restore" can bring them back. Tokens that are not recognized stay as they are.
-- Takes row locks on the devices of APNs that it changes.
create temporary table spellings on commit drop as
select id, token, canonical, row_number() over (partition by canonical order by registered_at desc, id desc) as place
from (
  select id, token, registered_at, case
    when token ~ '^[A-Za-z0-9+/]{43}=$' then encode(decode(token, 'base64'), 'hex')
    else lower(regexp_replace(token, '[<>[:space:]]', '', 'g'))
  end as canonical
  from devices where provider = 3
) as devices_of_apns
where canonical ~ '^([0-9a-f]{2}){32,}$';

create temporary table other_spellings on commit drop as
select id from spellings where place > 1;

insert into removed_devices (removed_at, provider, reason, device)
select clock_timestamp(), d.provider, 'token_spelling', to_jsonb(d) || jsonb_build_object('topics', array(
  select topics.name from device_topics t join topics on topics.id = t.topic_id where t.device_id = d.id
))
from devices d where d.id in (select id from other_spellings);
delete from device_topics where device_id in (select id from other_spellings);
delete from devices where id in (select id from other_spellings);

update devices d set token = s.canonical
from spellings s where s.id = d.id and s.place = 1 and s.token <> s.canonical;
