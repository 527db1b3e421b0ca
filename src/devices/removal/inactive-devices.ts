// max_inactive_device_interval: removes devices that were neither registered nor updated for long. They are found by
// reading the whole table in the order of the primary key, page by page. An index on updated_at would cost some 30
// bytes per device and a write per registration, only to save this read, which takes about a second per million devices
// each hour.
import * as v from 'valibot'
import type { Fragment, Queryable, Sql } from '../../database/pool.ts'
import { runTransaction } from '../../database/transaction.ts'
import { FIRST_UUID } from '../device-id.ts'
import { setAside } from './gone-devices.ts'

const PAGE_DEVICES = 10_000
/** Devices removed by one transaction. The limit keeps its locks short. */
const BATCH_DEVICES = 1000

/** The reason that is stored in removed_devices, for `devices restore --reason`. */
export const INACTIVE = 'inactive'

/**
 * Moves the devices whose last registration or update is older than `maxAgeMs` to removed_devices, with their topics.
 * Resolves to the number of moved devices; it stops early if `signal` aborts.
 */
export async function removeInactiveDevices(sql: Sql, maxAgeMs: number, signal: AbortSignal): Promise<number> {
  let removed = 0
  let after: string | undefined = FIRST_UUID
  while (after !== undefined && !signal.aborted) {
    const page: Page = await readPage(sql, after, maxAgeMs)
    for (let start = 0; start < page.inactive.length && !signal.aborted; start += BATCH_DEVICES) {
      removed += await removeBatch(sql, page.inactive.slice(start, start + BATCH_DEVICES), maxAgeMs)
    }
    after = page.last ?? undefined
  }
  return removed
}

const Page = v.object({
  /** The last device of the page; null after the last page. */
  last: v.nullable(v.string()),
  inactive: v.array(v.string()),
})
type Page = v.InferOutput<typeof Page>

async function readPage(sql: Sql, after: string, maxAgeMs: number): Promise<Page> {
  const [row] = await sql`
    with page as materialized (
      select id, updated_at from devices where id > ${after} order by id limit ${PAGE_DEVICES}
    )
    select
      (select id from page order by id desc limit 1) as last,
      array(select id from page where ${isInactive(sql, maxAgeMs)} order by id) as inactive`
  return v.parse(Page, row)
}

/** Skips locked devices: they are being registered or updated at this moment, so they are not inactive. */
async function removeBatch(sql: Sql, candidates: string[], maxAgeMs: number): Promise<number> {
  return await runTransaction(sql, async (tx) => {
    const rows = await tx`
      select id from devices where id = any(${candidates}::uuid[]) and ${isInactive(tx, maxAgeMs)}
      order by id
      for update skip locked`
    const uuids = rows.map((row) => v.parse(Locked, row).id)
    if (uuids.length > 0) await setAside(tx, uuids, INACTIVE)
    return uuids.length
  })
}

const Locked = v.object({ id: v.string() })

function isInactive(sql: Queryable, maxAgeMs: number): Fragment {
  return sql`updated_at < clock_timestamp() - ${maxAgeMs}::float8 * interval '1 ms'`
}
