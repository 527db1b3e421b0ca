import { isInTime } from '../database/call-deadline.ts'
import type { Sql } from '../database/pool.ts'
import { TimedCalls } from '../database/timed-calls.ts'
import type { Analytics } from './analytics.ts'

/** How long reports are kept, as in Centrifugo PRO. */
const KEEP_DAYS = 7

/** Makes the store of apps' reports: each report is a row of the table `notifications`. */
export function makePostgresAnalytics(sql: Sql): Analytics {
  const calls = new TimedCalls({ sql })
  return {
    async recordStatus({ uid, status, deviceId, messageId }) {
      await calls.run(async (deadline) => {
        const deadlineMs = await deadline.toDatabaseTime()
        await sql`
          insert into notifications (uid, device_id, msg_id, status)
          values (${uid}, ${deviceId}, ${messageId}, ${status})
          returning ${isInTime(sql, deadlineMs)}`
      })
    },
  }
}

/** Deletes reports that are older than `KEEP_DAYS`. The caller runs it periodically. */
export async function deleteOldNotifications(sql: Sql): Promise<void> {
  await sql`delete from notifications where time < clock_timestamp() - ${KEEP_DAYS} * interval '1 day'`
}
