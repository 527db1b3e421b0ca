// The SQL that keeps the tables small.
import * as v from 'valibot'
import type { Sql } from '../../database/pool.ts'
import { settleBatches } from './settle-statements.ts'

/** At a time, so that no statement holds many locks for long. */
const BATCH = 1000
/** Nobody sends to its provider: it was taken out of the configuration, or paused and forgotten. */
const UNCLAIMED_TOO_LONG = '48 hours'

/** Forgets the uids whose time is over, and with them their drops and dead letters. */
export async function deleteForgottenSends(sql: Sql): Promise<void> {
  let deleted: number
  do {
    const rows = await sql`
      delete from push_sends where uid in (
        select uid from push_sends where forget_at < (select clock_timestamp()) order by forget_at limit ${BATCH}
        for update skip locked
      )
      returning uid`
    deleted = rows.length
  } while (deleted === BATCH)
}

const Abandoned = v.object({ id: v.string(), fence: v.string(), targets: v.string(), target_count: v.number() })

/** Makes dead letters of batches that no worker takes. Those that were taken and lost are restored first. */
export async function buryAbandonedBatches(sql: Sql): Promise<void> {
  const rows = await sql`
    select id, fence, targets, target_count from push_batches
    where claimable_at < clock_timestamp() - ${UNCLAIMED_TOO_LONG}::interval and targets is not null
    limit ${BATCH}`
  const abandoned = rows.map((row) => v.parse(Abandoned, row))
  if (abandoned.length === 0) return
  await settleBatches(
    sql,
    abandoned.map(({ id, fence, targets: lines, target_count: count }) => ({
      claim: { id, fence: Number(fence) },
      retries: [],
      givenUp: [{ lines, count, reason: 'no worker took it for two days' }],
    })),
  )
}
