// The SQL of the periodic upkeep, which deletes old rows.
import * as v from 'valibot'
import type { Sql } from '../../database/pool.ts'
import { UNCLAIMED_REASON, UNCLAIMED_TOO_LONG_SECONDS } from '../limits.ts'
import { acknowledgeBatches } from './acknowledge-statement.ts'
import { readTargets, StoredTargets } from './stored-targets.ts'

/** The most rows that one statement deletes or moves, so that it does not hold many locks for long. */
const BATCH = 1000

/** Deletes sends after their time of deletion, with their exclusions and dead letters. */
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

const Unclaimed = v.object({ id: v.string(), fence: v.string(), target_count: v.number(), ...StoredTargets.entries })

/** Turns batches that no worker has claimed for two days into dead letters. */
export async function giveUpUnclaimedBatches(sql: Sql): Promise<void> {
  const rows = await sql`
    select id, fence, target_count, targets, range_after, range_until from push_batches
    where claimable_at < clock_timestamp() - ${UNCLAIMED_TOO_LONG_SECONDS} * interval '1 s'
    limit ${BATCH}`
  const unclaimed = rows.map((row) => v.parse(Unclaimed, row))
  if (unclaimed.length === 0) return
  await acknowledgeBatches(
    sql,
    unclaimed.map(({ id, fence, target_count: count, ...stored }) => ({
      claim: { id, fence: Number(fence) },
      retries: [],
      givenUp: [{ targets: readTargets(stored), count, reason: UNCLAIMED_REASON }],
    })),
  )
}
