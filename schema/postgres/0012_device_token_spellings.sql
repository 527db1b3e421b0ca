-- One spelling for the device tokens of APNs, lower-case hexadecimal. Earlier versions stored a token as the app wrote it:
-- in upper case, in groups between < and >, or in base64. An app that registers again would be a second device of its
-- phone. Of several devices of one phone, the one that registered last is kept; the others go to removed_devices, from
-- where "centripush devices restore" can bring them back. Tokens that are not recognized stay as they are.
-- Locks the rows of the devices of APNs that it changes.

-- The spelling that is kept; null if the text is no device token.
create function spell_device_token(token text) returns text language sql immutable as $$
  select case when spelling ~ '^([0-9a-f]{2}){32,}$' then spelling end
  from (select case
    when token ~ '^[A-Za-z0-9+/]{43}=$' then encode(decode(token, 'base64'), 'hex')
    else lower(regexp_replace(token, '[<>[:space:]]', '', 'g'))
  end) as spelled (spelling)
$$;

with ranked as (
  select id, row_number() over (
    partition by spell_device_token(token) order by registered_at desc, id desc
  ) as place
  from devices where provider = 3 and spell_device_token(token) is not null
), others as (
  select id from ranked where place > 1
), kept as (
  insert into removed_devices (removed_at, provider, reason, device)
  select clock_timestamp(), d.provider, 'token_spelling', to_jsonb(d) || jsonb_build_object('topics', array(
    select topics.name from device_topics t join topics on topics.id = t.topic_id where t.device_id = d.id
  ))
  from devices d where d.id in (select id from others)
), unsubscribed as (
  delete from device_topics where device_id in (select id from others)
)
delete from devices where id in (select id from others);

update devices set token = spell_device_token(token)
where provider = 3 and token <> spell_device_token(token);

drop function spell_device_token(text);
