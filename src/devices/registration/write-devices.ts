// Writes planned devices and their topics. The caller holds their locks, so no other transaction writes them.
import type { Fragment, Transaction } from '../../database/pool.ts'
import { encodePlatform, encodeProvider } from '../codes.ts'
import { unsubscribeFromAll } from '../device-topic-statements.ts'
import type { BatchPlan, DeviceRow } from './plan-batch.ts'

/**
 * Writes a planned batch. A device gets the topics of its registration, those of its user and those of everyone.
 * @param topicIds the numbers of all topics that the registrations name
 */
export async function writeDevices(tx: Transaction, plan: BatchPlan, topicIds: ReadonlyMap<string, number>) {
  const { rows, replaced, areAllNew } = plan
  if (replaced.length > 0) {
    await unsubscribeFromAll(tx, replaced)
    await tx`delete from devices where id = any(${replaced}::uuid[])`
  }
  if (rows.length === 0) return
  // If all devices are new, they are not compared with stored rows, which saves a fifth of the time.
  await Promise.all([
    insertDevices(tx, rows, areAllNew ? tx`` : replaceRow(tx)),
    areAllNew ? insertTopics(tx, rows, topicIds) : rebuildTopics(tx, rows, topicIds),
  ])
}

async function insertDevices(tx: Transaction, rows: readonly DeviceRow[], onConflict: Fragment): Promise<void> {
  const column = <T>(read: (registration: DeviceRow['registration']) => T): T[] =>
    rows.map(({ registration }) => read(registration))
  // A time in the future is replaced by the current time, because it comes from a wrong clock.
  await tx`
    insert into devices (
      id, created_at, updated_at, registered_at, provider, platform, token, user_id, timezone, locale, webpush_keys,
      meta
    )
    select
      id, least(coalesce(to_timestamp(created), now), now), updated, updated, provider, platform, token, user_id,
      timezone, locale, webpush_keys, meta::jsonb
    from clock_timestamp() as now, unnest(
      ${rows.map(({ uuid }) => uuid)}::uuid[],
      ${column(({ createdAtSeconds = null }) => createdAtSeconds)}::float8[],
      ${column(({ updatedAtSeconds = null }) => updatedAtSeconds)}::float8[],
      ${column(({ provider }) => encodeProvider(provider))}::smallint[],
      ${column(({ platform }) => encodePlatform(platform))}::smallint[],
      ${column(({ token }) => token)}::text[],
      ${column(({ user }) => user)}::text[],
      ${column(({ timezone }) => timezone)}::text[],
      ${column(({ locale }) => locale)}::text[],
      ${column(({ webPushKeys = null }) => webPushKeys)}::text[],
      ${column(({ meta }) => (meta.size === 0 ? null : JSON.stringify(Object.fromEntries(meta))))}::text[]
    ) as row (
      id, created, updated_seconds, provider, platform, token, user_id, timezone, locale, webpush_keys, meta
    )
    cross join lateral (select least(coalesce(to_timestamp(updated_seconds), now), now) as updated) as times
    ${onConflict}`
}

function replaceRow(tx: Transaction): Fragment {
  return tx`
    on conflict (id) do update set
      created_at = least(devices.created_at, excluded.created_at), updated_at = excluded.updated_at,
      registered_at = excluded.registered_at, platform = excluded.platform, token = excluded.token,
      user_id = excluded.user_id, timezone = excluded.timezone, locale = excluded.locale,
      webpush_keys = excluded.webpush_keys, meta = excluded.meta`
}

type TopicIds = ReadonlyMap<string, number>

/**
 * Two common table expressions: `device` has the ids and users of the rows, `wanted` the rows that device_topics should
 * have.
 */
function withWanted(tx: Transaction, rows: readonly DeviceRow[], topicIds: TopicIds): Fragment {
  const pairs = rows.flatMap(({ uuid, registration }) =>
    registration.topics.map((topic) => ({ uuid, topicId: topicIds.get(topic) ?? null })),
  )
  return tx`
    device as materialized (
      select * from unnest(
        ${rows.map(({ uuid }) => uuid)}::uuid[], ${rows.map(({ registration }) => registration.user)}::text[]
      ) as row (id, user_id)
    ), wanted as materialized (
      select * from unnest(
        ${pairs.map(({ uuid }) => uuid)}::uuid[], ${pairs.map(({ topicId }) => topicId)}::int[]
      ) as given (device_id, topic_id)
      union
      select device.id, u.topic_id from device join user_topics u on u.user_id = device.user_id
      union
      select device.id, u.topic_id from device, user_topics u where u.user_id = ''
    )`
}

async function insertTopics(tx: Transaction, rows: readonly DeviceRow[], topicIds: TopicIds): Promise<void> {
  await tx`
    with ${withWanted(tx, rows, topicIds)}
    insert into device_topics (topic_id, device_id) select topic_id, device_id from wanted`
}

/**
 * Makes the devices' topics as they should be. Only differences are written, because an app registers at each start,
 * mostly with the same topics.
 */
async function rebuildTopics(tx: Transaction, rows: readonly DeviceRow[], topicIds: TopicIds): Promise<void> {
  await tx`
    with ${withWanted(tx, rows, topicIds)}, dropped as (
      delete from device_topics t using device
      where t.device_id = device.id
        and not exists (select from wanted w where w.device_id = t.device_id and w.topic_id = t.topic_id)
    )
    insert into device_topics (topic_id, device_id) select topic_id, device_id from wanted
    on conflict do nothing`
}
