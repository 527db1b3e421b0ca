import * as v from 'valibot'
import { ANSWER_TIMEOUT_MS, answerWithin } from '../../database/answer-deadline.ts'
import type { Sql } from '../../database/pool.ts'
import type { VolumeCount, VolumeQuery, VolumeReader } from '../analytics.ts'

const Row = v.pipe(
  v.object({
    time_ms: v.number(),
    provider: v.string(),
    platform: v.string(),
    status: v.string(),
    error_code: v.string(),
    count: v.number(),
  }),
  v.transform(({ time_ms: timeMs, error_code: errorCode, ...row }): VolumeCount => ({ ...row, timeMs, errorCode })),
)

const HOUR_MS = 3_600_000

/** Counts events and reports in PostgreSQL, from the counts of hours or of minutes. */
export class PostgresVolume implements VolumeReader {
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
  }

  async readVolume({ fromMs, toMs, stepMs }: VolumeQuery): Promise<VolumeCount[]> {
    const [from, to] = [fromMs, toMs].map((ms) => new Date(ms).toISOString())
    const isHours = [fromMs, toMs, stepMs].every((ms) => ms % HOUR_MS === 0)
    const [time, counts] = isHours ? ['hour', 'notification_hours'] : ['minute', 'notification_counts']
    // Not by arithmetic with extract(): its result is numeric, which is slow.
    const select = this.#sql`
      select extract(epoch from step)::float8 * 1000 as time_ms, provider, platform, status, error_code,
        sum(count)::float8 as count
      from (
        select date_bin(${stepMs}::float8 * interval '1 ms', ${this.#sql(time)}, to_timestamp(0)) as step, provider,
          platform, status, error_code, count
        from ${this.#sql(counts)}
        where ${this.#sql(time)} >= ${from ?? ''}::timestamptz and ${this.#sql(time)} < ${to ?? ''}::timestamptz
      ) as counts
      group by step, provider, platform, status, error_code order by step`
    const rows = await answerWithin(Promise.resolve(select), ANSWER_TIMEOUT_MS)
    return rows.map((row) => v.parse(Row, row))
  }
}
