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

/** Counts events and reports in PostgreSQL, from the counts of minutes. */
export class PostgresVolume implements VolumeReader {
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
  }

  async readVolume({ fromMs, toMs, stepMs }: VolumeQuery): Promise<VolumeCount[]> {
    const [from, to] = [fromMs, toMs].map((ms) => new Date(ms).toISOString())
    const select = this.#sql`
      select (floor(extract(epoch from minute) * 1000 / ${stepMs}::bigint) * ${stepMs}::bigint)::float8 as time_ms,
        provider, platform, status, error_code, sum(count)::float8 as count
      from notification_counts
      where minute >= ${from ?? ''}::timestamptz and minute < ${to ?? ''}::timestamptz
      group by 1, 2, 3, 4, 5 order by 1`
    const rows = await answerWithin(Promise.resolve(select), ANSWER_TIMEOUT_MS)
    return rows.map((row) => v.parse(Row, row))
  }
}
