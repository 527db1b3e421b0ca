// Import: many devices in few statements, each as device_register would store it, but with its own times.
import * as v from 'valibot'
import { readDatabaseError } from '../database/database-error.ts'
import type { Sql, Transaction } from '../database/pool.ts'
import { runTransaction } from '../database/transaction.ts'
import { encodePlatform, encodeProvider } from './codes.ts'
import { makeDeviceUuid } from './device-id.ts'
import type { DeviceRecord } from './device-record.ts'
import { unsubscribeFromAll } from './device-topic-statements.ts'
import { type BatchPlan, type ImportOutcome, planBatch, type StoredDevice } from './import-batch.ts'
import { lockRegistrations } from './registration-lock.ts'
import { ensureTopics } from './topic-names.ts'
import { lockUsersShared } from './user-lock.ts'

/** SQLSTATE classes of errors that a row can cause: cardinality, data, constraint, a limit. Others are the database's. */
const CAUSED_BY_ROWS = /^(21|22|23|54)/
/** A token that is registered at the same moment: the next attempt finds its device. */
const UNIQUE_VIOLATION = '23505'
const ATTEMPTS = 3

/**
 * Stores devices, a thousand or so at once: all of them in one transaction, or each in its own when that fails, so that
 * none fails its neighbours. A later record of the same device wins; a device that has changed here since its record's
 * `updatedAtSeconds` is kept. Resolves to what became of each record, in their order.
 * @param nowMs Unix time in ms
 */
export async function importDevices(
  sql: Sql,
  records: readonly DeviceRecord[],
  nowMs: number,
): Promise<ImportOutcome[]> {
  const outcomes = new Map<DeviceRecord, ImportOutcome>()
  let left = records
  while (left.length > 0) {
    const plan = await storeTogether(sql, left, nowMs)
    if (!plan) return await importOneByOne(sql, records, nowMs)
    for (const [record, outcome] of plan.outcomes) outcomes.set(record, outcome)
    left = plan.later
  }
  return records.map((record) => outcomes.get(record) ?? { kind: 'stored' })
}

/** Undefined when one of the records has spoilt it for all: nothing is stored then. */
async function storeTogether(
  sql: Sql,
  records: readonly DeviceRecord[],
  nowMs: number,
): Promise<BatchPlan | undefined> {
  try {
    return await storeBatch(sql, records, nowMs)
  } catch (error) {
    if (CAUSED_BY_ROWS.test(readDatabaseError(error)?.code ?? '')) return undefined
    throw error
  }
}

async function importOneByOne(sql: Sql, records: readonly DeviceRecord[], nowMs: number): Promise<ImportOutcome[]> {
  const outcomes: ImportOutcome[] = []
  for (const record of records) outcomes.push(await importOne(sql, record, nowMs))
  return outcomes
}

async function importOne(sql: Sql, record: DeviceRecord, nowMs: number): Promise<ImportOutcome> {
  for (let attempt = 1; ; attempt++) {
    try {
      return (await storeBatch(sql, [record], nowMs)).outcomes.get(record) ?? { kind: 'stored' }
    } catch (error) {
      const code = readDatabaseError(error)?.code ?? ''
      if (!CAUSED_BY_ROWS.test(code)) throw error
      if (code !== UNIQUE_VIOLATION || attempt === ATTEMPTS) return { kind: 'refused', reason: `database: ${code}` }
    }
  }
}

async function storeBatch(sql: Sql, records: readonly DeviceRecord[], nowMs: number): Promise<BatchPlan> {
  const topicIds = await ensureTopics(sql, [...new Set(records.flatMap(({ topics }) => topics))])
  return await runTransaction(sql, async (tx) => {
    // In the order that register-devices.ts explains.
    const users = records.map(({ user }) => user).filter((user) => user !== '')
    await lockUsersShared(tx, users)
    await lockRegistrations(tx, records)
    const stored = await lockStored(tx, records)
    const plan = planBatch(records, stored, (record) =>
      makeDeviceUuid(1000 * (record.createdAtSeconds ?? nowMs / 1000)),
    )
    if (plan.replaced.length > 0) {
      await unsubscribeFromAll(tx, plan.replaced)
      await tx`delete from devices where id = any(${plan.replaced}::uuid[])`
    }
    await upsertDevices(tx, plan.rows)
    if (stored.length > 0) await dropTopics(tx, plan.rows, topicIds)
    await insertTopics(tx, plan.rows, topicIds)
    return plan
  })
}

const Found = v.object({ id: v.string() })
const Stored = v.pipe(
  v.object({ id: v.string(), provider: v.number(), token: v.string(), updated_at: v.number() }),
  v.transform(({ id, updated_at, ...columns }) => ({ uuid: id, updatedAtSeconds: updated_at, ...columns })),
)

/**
 * Locks the devices that the records name by id or token. Of the tokens each is looked up by itself, which the limit makes
 * sure of: a join would compute the digest of every token in the table as long as its statistics say that it is small.
 */
async function lockStored(tx: Transaction, records: readonly DeviceRecord[]): Promise<StoredDevice[]> {
  const given = records.map(({ uuid }) => uuid).filter((uuid) => uuid !== undefined)
  const found = await tx`
    select id from devices where id = any(${given}::uuid[])
    union
    select holder.id
    from unnest(${records.map(({ provider }) => encodeProvider(provider))}::smallint[],
      ${records.map(({ token }) => token)}::text[]) as given (provider, token)
    cross join lateral (
      select d.id from devices d
      where d.provider = given.provider and token_digest(d.token) = token_digest(given.token)
      limit 1
    ) as holder`
  if (found.length === 0) return []
  const uuids = found.map((row) => v.parse(Found, row).id)
  const rows = await tx`
    select id, provider, token, floor(extract(epoch from updated_at))::float8 as updated_at
    from devices where id = any(${uuids}::uuid[])
    order by id
    for update`
  return rows.map((row) => v.parse(Stored, row))
}

type Rows = BatchPlan['rows']

async function upsertDevices(tx: Transaction, rows: Rows): Promise<void> {
  const column = <T>(read: (record: DeviceRecord) => T): T[] => rows.map(({ record }) => read(record))
  // A device can't have been updated in the future, which only a clock that is wrong says.
  await tx`
    insert into devices (
      id, created_at, updated_at, registered_at, provider, platform, token, user_id, timezone, locale, webpush_keys, meta
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
    ) as record (
      id, created, updated_seconds, provider, platform, token, user_id, timezone, locale, webpush_keys, meta
    )
    cross join lateral (select least(coalesce(to_timestamp(updated_seconds), now), now) as updated) as times
    on conflict (id) do update set
      created_at = least(devices.created_at, excluded.created_at), updated_at = excluded.updated_at,
      registered_at = excluded.registered_at, platform = excluded.platform, token = excluded.token,
      user_id = excluded.user_id, timezone = excluded.timezone, locale = excluded.locale,
      webpush_keys = excluded.webpush_keys, meta = excluded.meta`
}

/** Pairs of devices and topics that the records name, and of devices and users. */
function pairs(rows: Rows, topicIds: ReadonlyMap<string, number>) {
  const subscriptions = rows.flatMap(({ uuid, record }) =>
    record.topics.map((topic) => ({ uuid, topicId: topicIds.get(topic) ?? null })),
  )
  return {
    devices: subscriptions.map(({ uuid }) => uuid),
    topics: subscriptions.map(({ topicId }) => topicId),
    uuids: rows.map(({ uuid }) => uuid),
    users: rows.map(({ record }) => record.user),
  }
}

async function dropTopics(tx: Transaction, rows: Rows, topicIds: ReadonlyMap<string, number>): Promise<void> {
  const { devices, topics, uuids } = pairs(rows, topicIds)
  await tx`
    delete from device_topics where device_id = any(${uuids}::uuid[])
      and (device_id, topic_id) not in (select * from unnest(${devices}::uuid[], ${topics}::int[]))`
}

/** The topics of the records, of their users and of everyone. */
async function insertTopics(tx: Transaction, rows: Rows, topicIds: ReadonlyMap<string, number>): Promise<void> {
  const { devices, topics, uuids, users } = pairs(rows, topicIds)
  await tx`
    insert into device_topics (topic_id, device_id)
    select topic_id, device_id from unnest(${devices}::uuid[], ${topics}::int[]) as given (device_id, topic_id)
    union
    select u.topic_id, owned.device_id
    from unnest(${uuids}::uuid[], ${users}::text[]) as owned (device_id, user_id)
    join user_topics u on u.user_id = owned.user_id and owned.user_id <> ''
    union
    select u.topic_id, every.device_id
    from unnest(${uuids}::uuid[]) as every (device_id), user_topics u where u.user_id = ''
    on conflict do nothing`
}
