import { setTimeout as delay } from 'node:timers/promises'
import { ClickhouseReader } from '../../src/analytics/clickhouse/clickhouse-reader.ts'
import { ClickhouseServer } from '../../src/analytics/clickhouse/clickhouse-server.ts'
import { prepareTables } from '../../src/analytics/clickhouse/prepare-tables.ts'
import type { TestClickhouse } from '../../tests/support/clickhouse/clickhouse-server.ts'
import { ATTEMPT_EVERY, DEVICES, FAILURE_EVERY, REPORT_EVERY, SECONDS, USERS } from './sample-rows.ts'

const TABLES = { database: 'centrifugo', cluster: '', ttl: '30 DAY' }
const CHUNK = 500_000
const MERGE_POLL_MS = 200

/** Makes and fills the tables of the export. */
export async function fillClickhouse(clickhouse: TestClickhouse, rows: number): Promise<void> {
  const server = new ClickhouseServer({ url: clickhouse.url, user: 'default', password: '', tls: {} })
  await prepareTables(server, { ...TABLES, makesTables: true })
  await server.close()
  for (let from = 0; from < rows; from += CHUNK) await fillChunk(clickhouse, from, Math.min(CHUNK, rows - from), rows)
  // A table in use has few large parts.
  while ((await clickhouse.query('SELECT count() FROM system.merges')) !== '0') await delay(MERGE_POLL_MS)
}

/** Opens a reader of the filled tables. */
export async function openReader(url: string) {
  const server = new ClickhouseServer({ url, user: 'default', password: '', tls: {} })
  return { reader: new ClickhouseReader({ servers: [server], tables: TABLES }), stop: () => server.close() }
}

async function fillChunk(clickhouse: TestClickhouse, from: number, count: number, rows: number): Promise<void> {
  const shared = `
    toDateTime(toUnixTimestamp(now()) - ${SECONDS} + intDiv(number * ${SECONDS}, ${rows})) AS time,
    concat('send-', toString(intDiv(number, ${DEVICES}))) AS uid, 'fcm' AS provider, 'token' AS type,
    concat('01H', leftPad(toString(number % ${DEVICES}), 23, '0'), '-fcm') AS device_id, 'android' AS platform,
    concat('user-', toString(number % ${DEVICES} % ${USERS})) AS user`
  await clickhouse.query(`
    INSERT INTO centrifugo.notifications (time, uid, provider, type, device_id, platform, user, msg_id, status, error_code)
    SELECT ${shared}, lower(hex(MD5(toString(number)))),
      multiIf(number % ${FAILURE_EVERY} = 0, 'failed', number % ${REPORT_EVERY} = 7, 'delivered', 'sent'),
      if(number % ${FAILURE_EVERY} = 0, 'UNREGISTERED', '')
    FROM numbers(${from}, ${count})`)
  await clickhouse.query(`
    INSERT INTO centrifugo.notification_attempts (time, uid, provider, type, device_id, platform, user, attempt,
      error_code, latency_ms)
    SELECT ${shared}, 1, 'UNAVAILABLE', 120 FROM numbers(${from}, ${count}) WHERE number % ${ATTEMPT_EVERY} = 0`)
}
