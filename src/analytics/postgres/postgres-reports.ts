import { isInTime } from '../../database/call-deadline.ts'
import type { Sql } from '../../database/pool.ts'
import { TimedCalls } from '../../database/timed-calls.ts'
import type { Analytics, StatusReport } from '../analytics.ts'
import { withDays } from './notification-days.ts'

/** Stores apps' reports: each is a row of the table `notifications`, on disk before `recordStatus` resolves. */
export class PostgresReports implements Analytics {
  readonly #sql: Sql
  readonly #calls: TimedCalls
  readonly #onStored: (report: StatusReport) => Promise<void>

  /** @param deps `onStored` is called with each stored report, before `recordStatus` resolves */
  constructor({ sql, onStored }: { sql: Sql; onStored: (report: StatusReport) => Promise<void> }) {
    this.#sql = sql
    this.#calls = new TimedCalls({ sql })
    this.#onStored = onStored
  }

  async recordStatus(report: StatusReport): Promise<void> {
    const sql = this.#sql
    const { uid, status, deviceId, messageId } = report
    await this.#calls.run((deadline) =>
      withDays(sql, async () => {
        const deadlineMs = await deadline.toDatabaseTime()
        await sql`
          insert into notifications (time, uid, device_id, msg_id, status)
          values (date_trunc('milliseconds', clock_timestamp()), ${uid}, ${deviceId}, ${messageId}, ${status})
          returning ${isInTime(sql, deadlineMs)}`
      }),
    )
    await this.#onStored(report)
  }
}
