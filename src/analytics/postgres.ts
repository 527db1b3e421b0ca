import type { Sql } from '../database/pool.ts'
import type { Analytics } from './analytics.ts'

/** How long notifications are kept, as in Centrifugo PRO. */
const KEEP_DAYS = 7

export function makePostgresAnalytics(sql: Sql): Analytics {
  return {
    async recordStatus({ uid, status, deviceId, messageId }) {
      await sql`
        insert into notifications (uid, device_id, msg_id, status)
        values (${uid}, ${deviceId}, ${messageId}, ${status})`
    },
  }
}

/** Deletes what is older than a week; run it now and then. */
export async function deleteOldNotifications(sql: Sql): Promise<void> {
  await sql`delete from notifications where time < clock_timestamp() - ${KEEP_DAYS} * interval '1 day'`
}
