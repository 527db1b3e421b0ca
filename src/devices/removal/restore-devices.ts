// The command `devices restore`: restores devices that were removed automatically because of an error of a provider or
// of the configuration.
import * as v from 'valibot'
import type { ProviderName } from '../../config/provider-names.ts'
import type { Queryable, Sql, Transaction } from '../../database/pool.ts'
import { runTransaction } from '../../database/transaction.ts'
import { encodeProvider } from '../codes.ts'
import { lockNames } from '../registration/lock-devices.ts'

/** Selects the removed devices to restore. */
export interface RestoreQuery {
  provider: ProviderName
  /** Only devices that were removed at or after this time. */
  since: Date
  /** Only devices that were removed for this reason; undefined for any reason. */
  reason: string | undefined
  /** Only this device; absent for all. */
  uuid?: string
}

/** The numbers of devices that were restored and skipped. */
export interface RestoreResult {
  restored: number
  /** Devices that were not restored, because a device with the same id or token is stored again. */
  skipped: number
}

/**
 * Devices restored by one transaction. Each takes up to three locks, and a server with few allowed connections has room
 * for fewer than 2,000 locks.
 */
const BATCH_DEVICES = 500

/**
 * Restores removed devices as they were, with their topics and the current topics of their users. If a device was
 * removed several times, the last removal counts. Skipped devices stay in removed_devices until their week is over.
 * @param onProgress takes the numbers after each batch
 */
export async function restoreDevices(
  sql: Sql,
  query: RestoreQuery,
  onProgress?: (result: RestoreResult) => void,
): Promise<RestoreResult> {
  const result = { restored: 0, skipped: 0 }
  let page = await readPage(sql, query, undefined)
  while (page.length > 0) {
    const ctids = page.map(({ ctid }) => ctid)
    const restored = await runTransaction(sql, (tx) => restoreBatch(tx, query.provider, ctids))
    result.restored += restored
    result.skipped += page.length - restored
    onProgress?.(result)
    page = await readPage(sql, query, page.at(-1))
  }
  return result
}

/** Counts the devices that restoreDevices() would restore and skip. Changes nothing. */
export async function countRestorable(sql: Sql, query: RestoreQuery): Promise<RestoreResult> {
  const [row] = await sql`
    with removed as (
      select distinct on (device ->> 'id') device from removed_devices where ${matches(sql, query)}
      order by device ->> 'id', removed_at desc
    )
    select
      (select count(*) from removed_devices where ${matches(sql, query)})::float8 as total,
      count(distinct device ->> 'token')::float8 as restored
    from removed
    where not exists (select from devices d where d.id = (device ->> 'id')::uuid)
      and not exists (select from devices d
        where d.provider = ${encodeProvider(query.provider)}
          and token_digest(d.token) = token_digest(device ->> 'token'))`
  const { total, restored } = v.parse(v.object({ total: v.number(), restored: v.number() }), row)
  return { restored, skipped: total - restored }
}

function matches(sql: Queryable, { provider, since, reason, uuid }: RestoreQuery) {
  const byId = uuid === undefined ? sql`true` : sql`device ->> 'id' = ${uuid}`
  const byReason = reason === undefined ? sql`true` : sql`reason = ${reason}`
  const isSince = sql`removed_at >= ${since.toISOString()}::timestamptz`
  return sql`provider = ${encodeProvider(provider)} and ${isSince} and ${byReason} and ${byId}`
}

const Removed = v.object({ ctid: v.string(), removed_at: v.string() })
type Removed = v.InferOutput<typeof Removed>

/**
 * Reads a page of removed devices, the latest removals first. Times are read as text, because a Date has no
 * microseconds.
 */
async function readPage(sql: Sql, query: RestoreQuery, after: Removed | undefined): Promise<Removed[]> {
  const isAfter = after
    ? sql`(removed_at, ctid) < (${after.removed_at}::text::timestamptz, ${after.ctid}::text::tid)`
    : sql`true`
  const rows = await sql`
    select ctid::text, removed_at::text from removed_devices where ${matches(sql, query)} and ${isAfter}
    order by removed_devices.removed_at desc, removed_devices.ctid desc
    limit ${BATCH_DEVICES}`
  return rows.map((row) => v.parse(Removed, row))
}

const Concern = v.object({ uuid: v.string(), token: v.string(), user: v.string() })

/** Restores some devices in one transaction. Resolves to the number of restored devices. */
async function restoreBatch(tx: Transaction, provider: ProviderName, ctids: string[]): Promise<number> {
  const removed = await tx`
    select device ->> 'id' as uuid, device ->> 'token' as token, device ->> 'user_id' as user
    from removed_devices where ctid = any(${ctids}::text[]::tid[])`
  // Takes the locks of a registration, so that a concurrent registration of the same device runs before or after this.
  await lockNames(
    tx,
    removed.map((row) => ({ provider, ...v.parse(Concern, row) })),
  )
  // A row of removed_devices that no longer exists was restored by another call, or deleted after its week. `do
  // nothing` skips devices with the id or token of a stored device.
  const restored = await tx`
    with removed as materialized (
      select ctid as place, removed_at, device from removed_devices where ctid = any(${ctids}::text[]::tid[])
      for update skip locked
    ), restored as (
      insert into devices
      select d.* from removed, jsonb_populate_record(null::devices, device) as d order by removed_at desc, place desc
      on conflict do nothing
      returning id, token, user_id
    ), latest as (
      select distinct on (id) restored.id, restored.user_id, removed.place, removed.device
      from restored
      join removed on (removed.device ->> 'id')::uuid = restored.id and removed.device ->> 'token' = restored.token
      order by id, removed_at desc, place desc
    ), forgotten as (
      delete from removed_devices where ctid in (select place from latest)
    ), subscribed as (
      insert into device_topics (topic_id, device_id)
      select topics.id, latest.id from latest, jsonb_array_elements_text(latest.device -> 'topics') as topic (name)
      join topics on topics.name = topic.name
      union
      select u.topic_id, latest.id from latest join user_topics u on u.user_id = latest.user_id and u.user_id <> ''
      on conflict do nothing
    )
    select id from latest`
  return restored.length
}
