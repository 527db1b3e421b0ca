import * as v from 'valibot'
import { ANSWER_TIMEOUT_MS, answerWithin } from '../../database/answer-deadline.ts'
import type { Fragment, Sql } from '../../database/pool.ts'
import type { EventPage, EventQuery, EventReader, RecordedEvent } from '../analytics.ts'
import { type EventCursor, encodeEventCursor, parseEventCursor } from '../event-cursor.ts'

/** The largest `bigint`. */
const MAX_ID = 2n ** 63n - 1n

const Row = v.pipe(
  v.object({
    time: v.date(),
    id: v.string(),
    uid: v.string(),
    status: v.string(),
    provider: v.string(),
    type: v.string(),
    recipient: v.string(),
    device_id: v.string(),
    platform: v.string(),
    user_id: v.string(),
    msg_id: v.string(),
    error_code: v.string(),
    error_message: v.string(),
    attempt: v.number(),
    latency_ms: v.number(),
  }),
  v.transform(({ id, ...row }): { id: string; event: RecordedEvent } => ({
    id,
    event: {
      timeMs: row.time.getTime(),
      uid: row.uid,
      status: row.status,
      provider: row.provider,
      recipientType: row.type,
      recipient: row.recipient,
      deviceId: row.device_id,
      platform: row.platform,
      user: row.user_id,
      messageId: row.msg_id,
      errorCode: row.error_code,
      errorMessage: row.error_message,
      attempt: row.attempt,
      latencyMs: row.latency_ms,
    },
  })),
)

/** Reads the rows that are stored in PostgreSQL. */
export class PostgresReader implements EventReader {
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
  }

  async listEvents(query: EventQuery): Promise<EventPage> {
    const cursor = parseEventCursor(query.cursor, MAX_ID)
    const rows = await answerWithin(this.#select(query, cursor), ANSWER_TIMEOUT_MS)
    const page = rows.slice(0, query.limit)
    const last = page.at(-1)
    const hasMore = last !== undefined && rows.length > page.length
    return {
      events: page.map(({ event }) => event),
      nextCursor: hasMore ? encodeEventCursor({ timeMs: last.event.timeMs, tie: last.id, skip: 0 }) : undefined,
    }
  }

  async #select(query: EventQuery, cursor: EventCursor | undefined) {
    const sql = this.#sql
    const limit = query.limit + 1
    const common = sql`time, id, uid, provider, type, recipient, device_id, platform, user_id, error_code,
      error_message`
    const end = sql`where ${makeConditions(sql, query, cursor)} order by time desc, id desc limit ${limit}`
    const events = sql`select ${common}, status, msg_id, 0 as attempt, 0 as latency_ms from notifications ${end}`
    const attempts = sql`
      select ${common}, 'retry' as status, '' as msg_id, attempt, latency_ms from notification_attempts ${end}`
    const rows = query.includesAttempts
      ? await sql`(${events}) union all (${attempts}) order by time desc, id desc limit ${limit}`
      : await events
    return rows.map((row) => v.parse(Row, row))
  }
}

function makeConditions(sql: Sql, { uid, deviceIds, user }: EventQuery, cursor: EventCursor | undefined): Fragment {
  const conditions = [sql`true`]
  if (uid !== '') conditions.push(sql`uid = ${uid}`)
  if (deviceIds.length > 0) conditions.push(matchDevices(sql, deviceIds))
  if (user !== '') conditions.push(sql`user_id = ${user} and user_id <> ''`)
  if (cursor) {
    const time = sql`${new Date(cursor.timeMs).toISOString()}::timestamptz`
    conditions.push(sql`time <= ${time} and (time, id) < (${time}, ${cursor.tie}::bigint)`)
  }
  return conditions.reduce((before, condition) => sql`${before} and ${condition}`)
}

/** A single device is compared with `=`: then the index returns the rows in the order of their time. */
function matchDevices(sql: Sql, deviceIds: readonly string[]): Fragment {
  const [deviceId = ''] = deviceIds
  // The planner must know that the index without rows of raw tokens has all rows.
  return deviceIds.length === 1
    ? sql`device_id = ${deviceId} and device_id <> ''`
    : sql`device_id = any(${[...deviceIds]}::text[]) and device_id <> ''`
}
