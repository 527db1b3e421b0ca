// The SQL of the periodic upkeep, which deletes old rows.
import * as v from 'valibot'
import { PROVIDER_NAMES } from '../../config/provider-names.ts'
import type { Sql } from '../../database/pool.ts'
import { UNCLAIMED_REASON, UNCLAIMED_TOO_LONG_SECONDS } from '../limits.ts'
import { countFailedBatch } from '../stored-report.ts'
import { acknowledgeBatches } from './acknowledge-statement.ts'
import { readTargets, StoredTargets } from './stored-targets.ts'

/** The most rows that one statement deletes or moves, so that it does not hold many locks for long. */
const BATCH = 1000

/** Deletes sends after their time of deletion, with their exclusions and dead letters. Their reports are kept. */
export async function deleteForgottenSends(sql: Sql): Promise<void> {
  let deleted: number
  do {
    const rows = await sql`
      with deleted as (
        delete from push_sends where uid in (
          select uid from push_sends where forget_at < (select clock_timestamp()) order by forget_at limit ${BATCH}
          for update skip locked
        )
        returning *
      ), kept as (
        insert into push_reports (uid, state, accepted_at, send_at, expire_at, analytics_uid, subject, counts,
          delivered, interacted, first_at, last_at, ended_at)
        select uid, state, accepted_at, send_at, expire_at, analytics_uid, subject, counts, delivered, interacted,
          first_at, last_at, coalesce(ended_at, clock_timestamp())
        from deleted where request_hash is not null
        -- The uid was used by an earlier send.
        on conflict (uid) do update set
          (state, accepted_at, send_at, expire_at, analytics_uid, subject, counts, delivered, interacted, first_at,
            last_at, ended_at) = (select excluded.state, excluded.accepted_at, excluded.send_at, excluded.expire_at,
            excluded.analytics_uid, excluded.subject, excluded.counts, excluded.delivered, excluded.interacted,
            excluded.first_at, excluded.last_at, excluded.ended_at)
      )
      select from deleted`
    deleted = rows.length
  } while (deleted === BATCH)
}

/** Deletes reports that ended before `keepMs`. Those of sends that are not deleted yet are not affected. */
export async function deleteOldReports(sql: Sql, keepMs: number): Promise<void> {
  let deleted: number
  do {
    const rows = await sql`
      delete from push_reports where uid in (
        select uid from push_reports where ended_at < (select clock_timestamp()) - ${keepMs} * interval '1 ms'
        order by ended_at limit ${BATCH} for update skip locked
      )
      returning uid`
    deleted = rows.length
  } while (deleted === BATCH)
}

const Unclaimed = v.object({
  id: v.string(),
  fence: v.string(),
  provider: v.picklist(PROVIDER_NAMES),
  retrying: v.boolean(),
  target_count: v.number(),
  ...StoredTargets.entries,
})

/** Turns batches that no worker has claimed for two days into dead letters. */
export async function giveUpUnclaimedBatches(sql: Sql): Promise<void> {
  const rows = await sql`
    select id, fence, provider, retrying, target_count, targets, range_after, range_until from push_batches
    where claimable_at < clock_timestamp() - ${UNCLAIMED_TOO_LONG_SECONDS} * interval '1 s'
    limit ${BATCH}`
  const unclaimed = rows.map((row) => v.parse(Unclaimed, row))
  if (unclaimed.length === 0) return
  await acknowledgeBatches(
    sql,
    unclaimed.map(({ id, fence, provider, retrying: isRetry, target_count: count, ...stored }) => {
      const targets = readTargets(stored)
      return {
        claim: { id, fence: Number(fence) },
        retries: [],
        givenUp: [{ targets, count, reason: UNCLAIMED_REASON }],
        counts: countFailedBatch({ provider, isRetry, count }, targets.kind, UNCLAIMED_REASON),
      }
    }),
  )
}
