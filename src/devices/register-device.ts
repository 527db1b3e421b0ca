// device_register: the whole state of a device in one transaction.
import * as v from 'valibot'
import { readDatabaseError } from '../database/database-error.ts'
import type { Sql, Transaction } from '../database/pool.ts'
import { runTransaction } from '../database/transaction.ts'
import { ApiError } from '../protocol/errors.ts'
import { encodePlatform, encodeProvider } from './codes.ts'
import { unsubscribeFromAll } from './device-topic-statements.ts'
import type { Registration } from './registration.ts'
import { ensureTopicIds } from './topic-names.ts'
import { lockUserShared } from './user-lock.ts'

const Holder = v.object({ id: v.string(), holds: v.boolean() })

/**
 * Stores the device and resolves to its uuid: the given one, else that of the device with this token, else `newUuid`.
 * The device's topics become those given, those of its user and those of everyone. Another device with this token is
 * removed.
 * @throws ApiError conflict when the same token was registered for the first time at the same moment: a retry succeeds
 */
export async function registerDevice(sql: Sql, registration: Registration, newUuid: string): Promise<string> {
  const topicIds = await ensureTopicIds(sql, registration.topics)
  try {
    return await runTransaction(sql, (tx) => store(tx, registration, newUuid, topicIds))
  } catch (error) {
    if (readDatabaseError(error)?.constraint !== 'devices_token') throw error
    throw new ApiError('conflict', 'token: is being registered by another request')
  }
}

async function store(tx: Transaction, registration: Registration, newUuid: string, topicIds: number[]) {
  const { user } = registration
  // Sent together, run in this order: see the locks in schema/postgres/0001_devices.sql.
  const [, holders] = await Promise.all([
    user === '' ? undefined : lockUserShared(tx, user),
    lockHolders(tx, registration),
  ])
  const uuid = registration.uuid ?? holders[0] ?? newUuid
  const others = holders.filter((holder) => holder !== uuid)
  if (others.length > 0) {
    await unsubscribeFromAll(tx, others)
    await tx`delete from devices where id = any(${others}::uuid[])`
  }
  const [isStored] = await Promise.all([upsertDevice(tx, uuid, registration), rebuildTopics(tx, uuid, user, topicIds)])
  if (!isStored) throw new ApiError('badRequest', 'id: belongs to a device of another provider')
  return uuid
}

/** Locks the device with the given id and the one with the token. Resolves to the uuid of the latter, if there is one. */
async function lockHolders(tx: Transaction, { uuid, provider, token }: Registration): Promise<string[]> {
  const rows = await tx`
    select id, token = ${token} as holds from devices
    where id = ${uuid ?? null} or (provider = ${encodeProvider(provider)} and token_digest(token) = token_digest(${token}))
    order by id
    for update`
  const locked = rows.map((row) => v.parse(Holder, row))
  return locked.filter(({ holds }) => holds).map(({ id }) => id)
}

async function upsertDevice(tx: Transaction, uuid: string, registration: Registration): Promise<boolean> {
  const { token, user, timezone, locale, webPushKeys = null, meta } = registration
  const metaJson = meta.size === 0 ? null : JSON.stringify(Object.fromEntries(meta))
  const stored = await tx`
    insert into devices (
      id, created_at, updated_at, registered_at, provider, platform, token, user_id, timezone, locale, webpush_keys, meta
    )
    select
      ${uuid}, now, now, now, ${encodeProvider(registration.provider)}, ${encodePlatform(registration.platform)},
      ${token}, ${user}, ${timezone}, ${locale}, ${webPushKeys}, ${metaJson}::text::jsonb
    from clock_timestamp() as now
    on conflict (id) do update set
      updated_at = excluded.updated_at, registered_at = excluded.registered_at, platform = excluded.platform,
      token = excluded.token, user_id = excluded.user_id, timezone = excluded.timezone, locale = excluded.locale,
      webpush_keys = excluded.webpush_keys, meta = excluded.meta
      where devices.provider = excluded.provider
    returning id`
  return stored.length > 0
}

/** Leaves subscriptions that stay alone: an app registers at each of its starts, mostly with what it had before. */
async function rebuildTopics(tx: Transaction, uuid: string, user: string, topicIds: number[]): Promise<void> {
  await tx`
    with wanted as materialized (
      select unnest(${topicIds}::int[]) as topic_id
      union
      select topic_id from user_topics where user_id in (${user}, '')
    ), dropped as (
      delete from device_topics where device_id = ${uuid} and topic_id not in (select topic_id from wanted)
    )
    insert into device_topics (topic_id, device_id)
    select topic_id, ${uuid}::uuid from wanted
    on conflict do nothing`
}
