import * as v from 'valibot'
import type { EventPage, EventQuery, EventReader, RecordedEvent } from '../analytics.ts'
import { type EventCursor, encodeEventCursor, parseEventCursor } from '../event-cursor.ts'
import type { ClickhouseServer, QueryParams } from './clickhouse-server.ts'
import { ATTEMPTS, NOTIFICATIONS } from './table-definitions.ts'
import { nameTable, type TableOptions } from './table-statements.ts'

interface Deps {
  servers: readonly ClickhouseServer[]
  tables: TableOptions
}

const Row = v.object({
  seconds: v.number(),
  tie: v.string(),
  uid: v.string(),
  status: v.string(),
  provider: v.string(),
  type: v.string(),
  recipient: v.string(),
  device_id: v.string(),
  platform: v.string(),
  user: v.string(),
  msg_id: v.string(),
  error_code: v.string(),
  error_message: v.string(),
  attempt: v.number(),
  latency_ms: v.number(),
})
type Row = v.InferOutput<typeof Row>

/** The largest `UInt64`, and the largest `DateTime` in seconds. */
const MAX_HASH = 2n ** 64n - 1n
const MAX_SECONDS = 2 ** 32 - 1

const COLUMNS =
  'time, uid, status, provider, type, recipient, device_id, platform, user, msg_id, error_code, error_message'
const NOTIFICATION_COLUMNS = `${COLUMNS}, 0 AS attempt, 0 AS latency_ms`
const RETRY_COLUMNS = COLUMNS.replace('status', "'retry' AS status").replace('msg_id', "'' AS msg_id")
const ATTEMPT_COLUMNS = `${RETRY_COLUMNS}, attempt, latency_ms`

/**
 * Reads the rows of the export. The table has no number for each row, so a hash of all columns orders the rows of a
 * second, and the cursor counts the equal rows that were listed.
 */
export class ClickhouseReader implements EventReader {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  async listEvents(query: EventQuery): Promise<EventPage> {
    const cursor = parseEventCursor(query.cursor, MAX_HASH)
    const limit = query.limit + (cursor?.skip ?? 0) + 1
    const rows = await this.#read(makeSelect(this.#deps.tables, query, cursor, limit), makeParams(query, cursor))
    const open = cursor ? rows.slice(countListed(rows, cursor)) : rows
    const page = open.slice(0, query.limit)
    const last = page.at(-1)
    return {
      events: page.map(toEvent),
      nextCursor: last && open.length > page.length ? encodeEventCursor(cursorAfter(page, last, cursor)) : undefined,
    }
  }

  /** In a cluster each server has all rows. Servers without a cluster have parts of them. */
  async #read(sql: string, params: QueryParams): Promise<Row[]> {
    const { servers, tables } = this.#deps
    if (tables.cluster !== '') return await readFirst(servers, sql, params)
    const parts = await Promise.all(servers.map((server) => readRows(server, sql, params)))
    return parts.length === 1 ? parts.flat() : parts.flat().sort(compareNewestFirst)
  }
}

async function readFirst(servers: readonly ClickhouseServer[], sql: string, params: QueryParams) {
  let failure: unknown
  for (const server of servers) {
    try {
      return await readRows(server, sql, params)
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

async function readRows(server: ClickhouseServer, sql: string, params: QueryParams): Promise<Row[]> {
  return v.parse(v.array(Row), await server.query(sql, params))
}

function makeSelect(tables: TableOptions, query: EventQuery, cursor: EventCursor | undefined, limit: number): string {
  const conditions = [
    query.uid === '' ? '' : 'uid = {uid:String}',
    query.deviceIds.length === 0 ? '' : 'device_id IN {device_ids:Array(String)}',
    query.user === '' ? '' : 'user = {user:String}',
    cursor
      ? 'time <= toDateTime({seconds:UInt32}) AND (time, tie) <= (toDateTime({seconds:UInt32}), {tie:UInt64})'
      : '',
  ].filter((condition) => condition !== '')
  const select = (columns: string, table: string) => `
    SELECT ${columns}, cityHash64(${columns.replace(/\S+ AS /g, '')}) AS tie FROM ${table}
    WHERE ${conditions.join(' AND ')}
    ORDER BY time DESC, tie DESC LIMIT ${limit}`
  const parts = [select(NOTIFICATION_COLUMNS, nameTable(tables, NOTIFICATIONS))]
  if (query.includesAttempts) parts.push(select(ATTEMPT_COLUMNS, nameTable(tables, ATTEMPTS)))
  return `
    SELECT toUnixTimestamp(time) AS seconds, toString(tie) AS tie, ${COLUMNS.replace('time, ', '')}, attempt, latency_ms
    FROM (${parts.map((part) => `SELECT * FROM (${part})`).join(' UNION ALL ')}) AS rows
    ORDER BY rows.time DESC, rows.tie DESC LIMIT ${limit}`
}

function makeParams({ uid, deviceIds, user }: EventQuery, cursor: EventCursor | undefined): QueryParams {
  return {
    uid,
    device_ids: deviceIds,
    user,
    ...(cursor && { seconds: String(Math.min(Math.floor(cursor.timeMs / 1000), MAX_SECONDS)), tie: cursor.tie }),
  }
}

/** The rows at the begin that earlier pages have listed. */
function countListed(rows: readonly Row[], cursor: EventCursor): number {
  const isEqual = (row: Row) => row.tie === cursor.tie && row.seconds * 1000 === cursor.timeMs
  const first = rows.findIndex((row) => !isEqual(row))
  return Math.min(first < 0 ? rows.length : first, cursor.skip)
}

function cursorAfter(page: readonly Row[], { seconds, tie }: Row, before: EventCursor | undefined): EventCursor {
  const equal = page.filter((row) => row.seconds === seconds && row.tie === tie).length
  const earlier = before?.tie === tie && before.timeMs === seconds * 1000 ? before.skip : 0
  return { timeMs: seconds * 1000, tie, skip: earlier + equal }
}

function compareNewestFirst(a: Row, b: Row): number {
  if (a.seconds !== b.seconds) return b.seconds - a.seconds
  return a.tie === b.tie ? 0 : BigInt(a.tie) < BigInt(b.tie) ? 1 : -1
}

function toEvent(row: Row): RecordedEvent {
  return {
    timeMs: row.seconds * 1000,
    uid: row.uid,
    status: row.status,
    provider: row.provider,
    recipientType: row.type,
    recipient: row.recipient,
    deviceId: row.device_id,
    platform: row.platform,
    user: row.user,
    messageId: row.msg_id,
    errorCode: row.error_code,
    errorMessage: row.error_message,
    attempt: row.attempt,
    latencyMs: row.latency_ms,
  }
}
