// The SQL that counts the work in the queue and reads PostgreSQL's settings.
import * as v from 'valibot'
import { PROVIDER_NAMES } from '../../config/provider-names.ts'
import type { Sql } from '../../database/pool.ts'
import type { QueueStats } from '../queue.ts'
import { sumBatchCounts } from '../sum-batch-counts.ts'
import { selectPauses } from './pause-statements.ts'
import { LANES, WAITING } from './states.ts'

const Jobs = v.object({ jobs: v.number() })

/**
 * Up to this number scheduled sends are counted. The estimate of more is wrong by some percent, and a count would read
 * all of them.
 */
const MAX_COUNTED = 1000

/**
 * Counts batches and due sends, up to `limit` of each, for the limit of jobs. Neither scheduled sends are counted nor
 * those that are walked, of which each process has few.
 */
export async function countJobs(sql: Sql, limit: number): Promise<number> {
  const [row] = await sql`
    select ((select count(*) from (select from push_batches limit ${limit}) as b) +
      (select count(*) from (
        select from push_sends
        where lane in (0, 1) and claimable_at <= (select clock_timestamp())
        limit ${limit}) as s))::float8 as jobs`
  return v.parse(Jobs, row).jobs
}

const BatchCounts = v.object({
  provider: v.picklist(PROVIDER_NAMES),
  lane: v.picklist(['small', 'broadcast']),
  waiting: v.number(),
  inFlight: v.number(),
  delayed: v.number(),
  oldestMs: v.number(),
})
const DeadLetters = v.object({ dead_letters: v.number() })
const Scheduled = v.object({ scheduled: v.number() })
const Plan = v.object({ 'QUERY PLAN': v.tuple([v.object({ Plan: v.object({ 'Plan Rows': v.number() }) })]) })

/** Counts the sends with a time in the future, or estimates their number if there are more than MAX_COUNTED. */
export async function countScheduled(sql: Sql): Promise<number> {
  const [counted] = await sql`
    select count(*)::float8 as scheduled from (
      select from push_sends
      where lane in (0, 1) and claimable_at > (select clock_timestamp()) and state = ${WAITING}
      limit ${MAX_COUNTED}
    ) as s`
  const { scheduled } = v.parse(Scheduled, counted)
  if (scheduled < MAX_COUNTED) return scheduled
  // The estimate follows the size of the table at once, and the values of the rows after the next ANALYZE.
  const [plan] = await sql`explain (format json) select from push_sends where claimable_at > now()`
  return Math.max(scheduled, v.parse(Plan, plan)['QUERY PLAN'][0].Plan['Plan Rows'])
}

/** Reads the counts that the metrics and `centripush queue` show. */
export async function selectStats(sql: Sql): Promise<QueueStats> {
  const rows = await sql`
    select provider, case lane when ${LANES.small} then 'small' else 'broadcast' end as lane,
      (count(*) filter (where claimable_at <= clock_timestamp()))::float8 as waiting,
      (count(*) filter (where claimed and claimable_at > clock_timestamp()))::float8 as "inFlight",
      (count(*) filter (where not claimed and claimable_at > clock_timestamp()))::float8 as delayed,
      coalesce(max(extract(epoch from clock_timestamp() - claimable_at)) filter (
        where claimable_at <= clock_timestamp()), 0)::float8 * 1000 as "oldestMs"
    from push_batches group by provider, lane`
  const [others] = await sql`select count(*)::float8 as dead_letters from push_dead_letters`
  const counts = rows.map((row) => v.parse(BatchCounts, row))
  const { dead_letters: deadLetters } = v.parse(DeadLetters, others)
  return {
    ...sumBatchCounts(counts),
    delayed: counts.reduce((sum, { delayed }) => sum + delayed, 0),
    scheduled: await countScheduled(sql),
    deadLetters,
    pauses: await selectPauses(sql),
  }
}

const Setting = v.object({ name: v.string(), setting: v.string() })

/**
 * Finds settings of PostgreSQL that can lose accepted sends. Resolves to a sentence for each, which names the setting
 * to change.
 */
export async function findSettingRisks(sql: Sql): Promise<string[]> {
  const rows = await sql`
    select name, setting from pg_settings where name in ('synchronous_commit', 'fsync', 'full_page_writes')`
  return rows
    .map((row) => v.parse(Setting, row))
    .filter(({ setting }) => setting === 'off')
    .map(
      ({ name }) =>
        `PostgreSQL runs with ${name}=off: a crash loses accepted sends and repeats batches that were sent; ` +
        `set ${name}=on`,
    )
}
