// The SQL of the dashboards, on rows that the writers stored, as the users of deploy/ who can only read.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type {
  Analytics,
  AttemptRecorder,
  EventRecorder,
  EventSource,
  TargetEvent,
} from '../../src/analytics/analytics.ts'
import { PostgresReports } from '../../src/analytics/postgres/postgres-reports.ts'
import { openDatabase, type Sql } from '../../src/database/pool.ts'
import { describeOnClickhouse } from '../analytics/describe-on-clickhouse.ts'
import { startPostgresWriter } from '../analytics/postgres-rig.ts'
import { DATABASE, makeWriter, resetTables, SENT } from '../analytics/writer-rig.ts'
import { startAssembly } from '../support/assembly.ts'
import { TestClickhouse } from '../support/clickhouse/clickhouse-server.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { listQueries } from './dashboard-files.ts'

const DEPLOY = resolve(import.meta.dirname, '../../deploy')
const PASSWORD = 'the-password-of-grafana'
/** One step for all times, in seconds. */
const STEP = 10 ** 9
const FCM: EventSource = { uid: 'one', provider: 'fcm', recipientType: 'token', isSmall: true }
const APNS: EventSource = { uid: "it's two", provider: 'apns', recipientType: 'token', isSmall: true }
const EVENT: TargetEvent = { ...SENT, messageId: '', user: 'a-user' }

/** Records the pushes that the panels have to show. */
function record(analytics: EventRecorder & AttemptRecorder): void {
  const fcm = (count: number, event: Partial<TargetEvent>) =>
    Array.from({ length: count }, (_, index) => ({ ...EVENT, deviceId: `${event.status}-${index}`, ...event }))
  void analytics.recordEvents(FCM, [
    ...fcm(6, { status: 'sent' }),
    ...fcm(2, { status: 'failed', errorCode: 'UNREGISTERED', errorMessage: 'not registered' }),
    ...fcm(1, { status: 'dropped', errorCode: 'rate_limited' }),
  ])
  void analytics.recordEvents(APNS, [
    ...fcm(2, { status: 'sent', platform: 'ios', user: 'another' }),
    ...fcm(1, { status: 'expired', platform: 'ios', user: 'another', errorCode: 'expired' }),
  ])
  const attempt = { deviceId: 'sent-0', user: 'a-user', platform: 'android', recipient: '', attempt: 1 }
  const busy = { ...attempt, errorCode: 'UNAVAILABLE', errorMessage: 'later', latencyMs: 40 }
  void analytics.recordAttempts(FCM, [busy, { ...busy, deviceId: 'sent-1', attempt: 2, latencyMs: 60 }])
}

/** Apps report one device twice. */
async function report(analytics: Analytics): Promise<void> {
  for (const [deviceId, status] of [
    ['sent-0', 'delivered'],
    ['sent-1', 'delivered'],
    ['sent-1', 'delivered'],
    ['sent-0', 'interacted'],
  ] as const) {
    await analytics.recordStatus({ uid: 'one', deviceId, status, messageId: '' })
  }
}

/** Times depend on the clock. */
const TIMES = new Set(['t', 'time', 'first', 'last', 'accepted_at', 'ended_at'])

/** The rows of a result without times, with their numbers as numbers. */
function withoutTimes(rows: readonly object[]): Record<string, unknown>[] {
  const read = (value: unknown) => (typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value)
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).flatMap(([name, value]) => (TIMES.has(name) ? [] : [[name, read(value)]]))),
  )
}

interface Variables {
  uid?: string
  device?: string
}

/** Grafana's format `sqlstring`. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

function fillVariables(sql: string, { uid = '', device = '' }: Variables): string {
  return sql
    .replaceAll(`\${uid:sqlstring}`, quote(uid))
    .replaceAll(`\${device:sqlstring}`, quote(device))
    .replaceAll(`\${suffix:raw}`, '')
}

function byName(rows: Record<string, unknown>[]): Record<string, unknown>[] {
  return rows.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}

/** A panel of both dashboards that counts by a column, and the counts. */
const CHARTS: [title: string, counts: Record<string, number>, ofOne: Record<string, number>][] = [
  ['Sent by platform', { android: 6, ios: 2 }, { android: 6 }],
  ['Sent by provider', { fcm: 6, apns: 2 }, { fcm: 6 }],
  ['Refused by code', { 'fcm UNREGISTERED': 2 }, { 'fcm UNREGISTERED': 2 }],
  ['Not sent by reason', { rate_limited: 1, expired: 1 }, { rate_limited: 1 }],
]
const STATUSES = { sent: 8, failed: 2, dropped: 1, expired: 1, delivered: 3, interacted: 1 }

describeOnClickhouse('the dashboard of ClickHouse', () => {
  const shown = new Set<string>()
  let clickhouse: TestClickhouse
  let dataDir: string
  let read: (title: string, variables?: Variables) => Promise<Record<string, unknown>[]>

  beforeAll(async () => {
    const users = readFileSync(resolve(DEPLOY, 'clickhouse/grafana.xml'), 'utf8')
      .replace(/<!--[\s\S]*?-->|<\/?clickhouse>/g, '')
      .replace('default.*', `${DATABASE}.*`)
      .replace(
        '<users>',
        '<users><default><password/><networks><ip>::/0</ip></networks><profile>default</profile></default>',
      )
      .replace('<profiles>', '<profiles><default/>')
    // The server inherits it.
    vi.stubEnv('GRAFANA_CLICKHOUSE_PASSWORD', PASSWORD)
    clickhouse = await TestClickhouse.start({ users: `${users}<quotas><default/></quotas>` })
    await resetTables(clickhouse)
    dataDir = await mkdtemp(join(tmpdir(), 'centripush-panels-'))
    const writer = await makeWriter({ urls: [clickhouse.url], dataDir })
    record(writer.analytics)
    await report(writer.analytics)
    await vi.waitFor(() => expect(writer.analytics.rows).toBe(0), { timeout: 30_000 })
    await writer.analytics.stop(1000)
    read = async (title, variables = {}) => {
      shown.add(title)
      const { text = '' } = listQueries('centripush-clickhouse.json').find((query) => query.title === title) ?? {}
      const [from, to] = [-3600, 3600].map((offset) => Math.floor(Date.now() / 1000) + offset)
      const sql = fillVariables(text, variables)
        .replaceAll(/\$__timeFilter\((\w+)\)/g, `$1 >= toDateTime(${from}) AND $1 <= toDateTime(${to})`)
        .replaceAll(/\$__timeInterval\((\w+)\)/g, `toStartOfInterval(toDateTime($1), INTERVAL ${STEP} second)`)
      return withoutTimes(await ask(sql))
    }
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    await clickhouse.stop()
    await rm(dataDir, { recursive: true, force: true })
  })

  const ask = async (sql: string): Promise<object[]> => {
    const query = new URLSearchParams({ database: DATABASE, default_format: 'JSONEachRow', max_execution_time: '60' })
    const response = await fetch(`${clickhouse.url}/?${query}`, {
      method: 'POST',
      headers: { 'x-clickhouse-user': 'grafana', 'x-clickhouse-key': PASSWORD },
      body: sql,
    })
    const text = await response.text()
    if (!response.ok) throw new Error(text)
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  }

  test.each([
    ['Sent', 8, 6],
    ['Delivered', 2, 2],
    ['Interacted', 1, 1],
    ['Accepted share', 0.8, 0.75],
    ['Delivered share', 2 / 8, 2 / 6],
    ['Interacted share', 1 / 8, 1 / 6],
  ])('shows in the funnel: %s', async (title, all, ofOne) => {
    // The last title is that of a chart too, which has one step here.
    const value = ([row]: Record<string, unknown>[]) => Object.values(row ?? {}).at(-1)
    expect(value(await read(title))).toBeCloseTo(all, 9)
    expect(value(await read(title, { uid: 'one' }))).toBeCloseTo(ofOne, 9)
  })

  const toRows = (counts: Record<string, number>) =>
    byName(Object.entries(counts).map(([name, pushes]) => ({ name, pushes })))
  test.each([
    ...CHARTS,
    ['By status', STATUSES, { sent: 6, failed: 2, dropped: 1, delivered: 3, interacted: 1 }] as const,
    ['Tried again by code', { 'fcm UNAVAILABLE': 2 }, { 'fcm UNAVAILABLE': 2 }] as const,
  ])('shows over time: %s', async (title, counts, ofOne) => {
    expect(byName(await read(title))).toEqual(toRows(counts))
    expect(byName(await read(title, { uid: 'one' }))).toEqual(toRows(ofOne))
  })

  test('shows the latency of attempts that were repeated', async () => {
    expect(await read('Latency of attempts that were repeated, p95')).toEqual([{ provider: 'fcm', p95: 60 }])
  })

  test('lists the sends, the errors, and the rows of a device or user', async () => {
    const two = { uid: "it's two", sent: 2, failed: 0, not_sent: 1, delivered: 0, interacted: 0 }
    expect(await read('Sends')).toEqual([
      { uid: 'one', sent: 6, failed: 2, not_sent: 1, delivered: 2, interacted: 1 },
      two,
    ])
    expect(await read('Sends', { uid: "it's two" })).toEqual([two])
    expect(await read('Errors')).toEqual([
      { provider: 'fcm', error_code: 'UNREGISTERED', pushes: 2, sends: 1, example: 'not registered' },
    ])
    const statuses = (rows: Record<string, unknown>[]) => rows.map(({ status }) => status).sort()
    expect(statuses(await read('One device or user'))).toEqual([])
    expect(statuses(await read('One device or user', { device: 'another' }))).toEqual(['expired', 'sent', 'sent'])
    const ofDevice = await read('One device or user', { device: 'sent-1', uid: 'one' })
    expect(statuses(ofDevice)).toEqual(['delivered', 'delivered', 'retry', 'sent'])
  })

  test('has no other panels', () => {
    expect(new Set(listQueries('centripush-clickhouse.json').map(({ title }) => title))).toEqual(shown)
  })

  test('reads with a user who changes nothing', async () => {
    await expect(ask(`TRUNCATE TABLE ${DATABASE}.notifications`)).rejects.toThrow(/readonly|ACCESS_DENIED/)
    await expect(ask('SELECT 1 SETTINGS max_memory_usage = 1')).rejects.toThrow(/readonly/)
  })
})

describe('the dashboard of PostgreSQL', () => {
  const shown = new Set<string>()
  const role = `grafana_${randomBytes(4).toString('hex')}`
  let database: TestDatabase
  let reader: Sql

  beforeAll(async () => {
    database = await createTestDatabase()
    const file = readFileSync(resolve(DEPLOY, 'grafana/postgresql-role.sql'), 'utf8')
    await database.sql.unsafe(file.replaceAll(/\bgrafana\b/g, role).replace(":'password'", quote(PASSWORD)))
    const dsn = new URL(database.dsn)
    dsn.username = role
    dsn.password = PASSWORD
    reader = openDatabase({ dsn: dsn.href, maxConnections: 2 })
  })
  afterAll(async () => {
    await reader.end()
    await database.sql.unsafe(`drop owned by ${role}; drop role ${role}`)
    await database.drop()
  })

  const read = async (title: string, variables: Variables = {}) => {
    shown.add(title)
    const { text = '' } = listQueries('centripush-postgresql.json').find((query) => query.title === title) ?? {}
    const [from, to] = [-3600, 3600].map((offset) => new Date(Date.now() + offset * 1000).toISOString())
    const sql = fillVariables(text, variables)
      .replaceAll(/\$__timeFilter\((\w+)\)/g, `$1 BETWEEN '${from}' AND '${to}'`)
      .replaceAll(
        /\$__timeGroupAlias\((\w+), ?\$__interval\)/g,
        `floor(extract(epoch from $1)/${STEP})*${STEP} AS "time"`,
      )
    return withoutTimes(await reader.unsafe(sql))
  }

  test('shows the numbers of the recorded pushes', async () => {
    const { analytics, flush } = await startPostgresWriter(database.sql)
    record(analytics)
    await report(new PostgresReports({ sql: database.sql, onStored: (stored) => analytics.countReport(stored) }))
    await flush()
    const value = async (title: string) => Number(Object.values((await read(title))[0] ?? {})[0])
    expect(await value('Sent')).toBe(8)
    expect(await value('Delivered')).toBe(3)
    expect(await value('Interacted')).toBe(1)
    expect(await value('Accepted share')).toBeCloseTo(0.8, 9)
    expect(await value('Delivered share')).toBeCloseTo(3 / 8, 9)
    expect(await value('Interacted share')).toBeCloseTo(1 / 8, 9)
    const toRows = (counts: Record<string, number>) =>
      byName(Object.entries(counts).map(([metric, pushes]) => ({ metric, pushes })))
    for (const [title, counts] of CHARTS) expect(byName(await read(title)), title).toEqual(toRows(counts))
    expect(byName(await read('By status'))).toEqual(toRows(STATUSES))
    expect(await read('Errors')).toEqual([{ provider: 'fcm', error_code: 'UNREGISTERED', pushes: 2 }])
    const statuses = (rows: Record<string, unknown>[]) => rows.map(({ status }) => status).sort()
    expect(statuses(await read('One device or user'))).toEqual([])
    expect(statuses(await read('One device or user', { device: 'another' }))).toEqual(['expired', 'sent', 'sent'])
    const ofDevice = await read('One device or user', { device: 'sent-1', uid: 'one' })
    expect(statuses(ofDevice)).toEqual(['delivered', 'delivered', 'retry', 'sent'])
  })

  test('shows the reports of sends', async () => {
    const server = await startAssembly(database.dsn, {
      push_notifications: { dry_run: true },
      postgresql_analytics: { enabled: false },
    })
    await server.post('/send_push_notification', {
      uid: 'reported',
      recipient: { fcm_tokens: ['a', 'b', 'c'] },
      notification: { fcm: { message: {} } },
    })
    const reported = { uid: 'reported', targets: 3, sent: 3, failed: 0, dropped: 0, delivered: 0, interacted: 0 }
    await vi.waitFor(async () => expect(await read('Sends')).toEqual([reported]), { timeout: 20_000 })
    expect(await read('Sends', { uid: 'another' })).toEqual([])
    await server.stop(5000)
  })

  test('has no other panels', () => {
    expect(new Set(listQueries('centripush-postgresql.json').map(({ title }) => title))).toEqual(shown)
  })

  test('reads with a role that sees no token and no text of a push, and changes nothing', async () => {
    await expect(reader`select token from devices`).rejects.toThrow(/permission denied/)
    await expect(reader`select content from push_sends`).rejects.toThrow(/permission denied/)
    await expect(reader`select recipient from push_sends`).rejects.toThrow(/permission denied/)
    await expect(reader.unsafe('delete from notifications')).rejects.toThrow(/permission denied|read-only/)
  })
})
