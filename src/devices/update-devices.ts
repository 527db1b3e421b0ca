// The changes of stored devices by the API methods device_update, device_topic_update and device_remove.
import * as v from 'valibot'
import type { CallDeadline } from '../database/call-deadline.ts'
import type { Fragment, Queryable, Sql, Transaction } from '../database/pool.ts'
import { runTransaction } from '../database/transaction.ts'
import { ApiError } from '../protocol/errors.ts'
import type { DeviceFilter } from '../sends/recipient.ts'
import { encodeProvider } from './codes.ts'
import { type DeviceConditions, deviceColumnsMatch, resolveFilter } from './device-filter.ts'
import type { DeviceId } from './device-id.ts'
import { applyToDevices, resolveTopics, unsubscribeFromAll } from './device-topic-statements.ts'
import type { TopicOperation } from './topic-operation.ts'

/** New values for a device. An undefined field leaves the stored value unchanged. */
export interface DeviceChanges {
  /** The new user of the device. The device keeps its topics: it does not get those of the new user. */
  user: string | undefined
  timezone: string | undefined
  locale: string | undefined
  /** The new meta, which replaces the whole stored meta. */
  meta: ReadonlyMap<string, string> | undefined
  topics: TopicOperation | undefined
}

/** Changes all devices that match the filter, or none if it fails. */
export async function updateDevices(
  sql: Sql,
  filter: DeviceFilter,
  changes: DeviceChanges,
  deadline: CallDeadline,
): Promise<void> {
  const conditions = await resolveFilter(sql, filter)
  if (!conditions) return
  const topics = changes.topics && (await resolveTopics(sql, changes.topics))
  const update = async (tx: Transaction) => {
    const uuids = await lockDevices(tx, conditions)
    await tx`update devices set ${assignments(tx, changes)} where id = any(${uuids}::uuid[])`
    if (topics) await applyToDevices(tx, uuids, topics)
  }
  await runTransaction(sql, update, deadline)
}

function assignments(sql: Queryable, { user, timezone, locale, meta }: DeviceChanges): Fragment {
  const all = [sql`updated_at = clock_timestamp()`]
  if (user !== undefined) all.push(sql`user_id = ${user}`)
  if (timezone !== undefined) all.push(sql`timezone = ${timezone}`)
  if (locale !== undefined) all.push(sql`locale = ${locale}`)
  if (meta !== undefined) {
    const json = meta.size === 0 ? null : JSON.stringify(Object.fromEntries(meta))
    all.push(sql`meta = ${json}::text::jsonb`)
  }
  return all.reduce((list, assignment) => sql`${list}, ${assignment}`)
}

/** Removes all devices that match the filter, and their topics. */
export async function removeDevices(sql: Sql, filter: DeviceFilter, deadline: CallDeadline): Promise<void> {
  const conditions = await resolveFilter(sql, filter)
  if (!conditions) return
  const remove = async (tx: Transaction) => {
    const uuids = await lockDevices(tx, conditions)
    await unsubscribeFromAll(tx, uuids)
    await tx`delete from devices where id = any(${uuids}::uuid[])`
  }
  await runTransaction(sql, remove, deadline)
}

/**
 * Changes the topics of one device.
 * @param owner the user that the device must belong to; empty for any user
 * @throws ApiError notFound, or conflict if the device belongs to another user; in both cases nothing has changed
 */
export async function updateDeviceTopics(
  sql: Sql,
  { id, operation, owner }: { id: DeviceId; operation: TopicOperation; owner: string },
  deadline: CallDeadline,
): Promise<void> {
  const topics = await resolveTopics(sql, operation)
  const update = async (tx: Transaction) => {
    const [device] = await tx`
      select user_id from devices where id = ${id.uuid} and provider = ${encodeProvider(id.provider)}
      for no key update`
    if (!device) throw new ApiError('notFound', 'device_id: no such device')
    if (owner !== '' && device.user_id !== owner)
      throw new ApiError('conflict', 'user: the device belongs to another user')
    await applyToDevices(tx, [id.uuid], topics)
  }
  await runTransaction(sql, update, deadline)
}

const Locked = v.object({ id: v.string() })

async function lockDevices(sql: Queryable, conditions: DeviceConditions): Promise<string[]> {
  const rows = await sql`
    select d.id from devices d where ${deviceColumnsMatch(sql, conditions)} order by d.id for update`
  return rows.map((row) => v.parse(Locked, row).id)
}
