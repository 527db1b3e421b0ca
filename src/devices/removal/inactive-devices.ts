// The option max_inactive_device_interval: removes devices that were neither registered nor updated for longer. They
// are found by reading the whole table in the order of the primary key, page by page, once an hour, which takes about a
// second per million devices. An index on updated_at would save this read, but would cost some 30 bytes per device and
// a write per registration.
import * as v from 'valibot'
import type { Fragment, Queryable, Sql } from '../../database/pool.ts'
import { runTransaction } from '../../database/transaction.ts'
import { FIRST_UUID } from '../device-id.ts'
import { setAside } from './gone-devices.ts'

const PAGE_DEVICES = 10_000
/** The most devices that one transaction removes, so that it holds its locks only for a short time. */
const BATCH_DEVICES = 1000

/** The reason that is stored with inactive devices in removed_devices, for `devices restore --reason`. */
export const INACTIVE = 'inactive'

/**
 * Moves the devices that were last registered or updated more than `maxAgeMs` ago to removed_devices, with their
 * topics. Resolves to the number of moved devices. Stops early if `signal` aborts.
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
  /** The last device of the page that was read; null if the page is empty, after the end of the table. */
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

/**
 * Removes the candidates that are still inactive. Locked devices are skipped: they are being registered or updated now.
 */
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
