// Rows and counts in PostgreSQL are those that were recorded.
import { randomUUID } from 'node:crypto'
import * as v from 'valibot'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { TargetAttempt, TargetEvent } from '../../src/analytics/analytics.ts'
import { dropOldDays, prepareDays } from '../../src/analytics/postgres/notification-days.ts'
import { PostgresReports } from '../../src/analytics/postgres/postgres-reports.ts'
import { PostgresVolume } from '../../src/analytics/postgres/postgres-volume.ts'
import { RowBatch } from '../../src/analytics/postgres/row-batch.ts'
import { storeBatch } from '../../src/analytics/postgres/store-batch.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { fc } from '../support/fast-check.ts'
import { startPostgresWriter } from './postgres-rig.ts'
import { SENT, SOURCE } from './writer-rig.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const FAILED: TargetEvent = { ...SENT, status: 'failed', errorCode: 'UNREGISTERED', errorMessage: 'not registered' }
const ATTEMPT: TargetAttempt = {
  ...{ deviceId: 'a-device', platform: 'ios', user: 'a-user', recipient: '', attempt: 2, latencyMs: 31 },
  ...{ errorCode: 'UNAVAILABLE', errorMessage: 'try again' },
}

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())
beforeEach(() => database.sql`truncate notifications, notification_attempts, notification_counts, notification_hours`)

const countRows = async (table = 'notifications') => {
  const [row] = await database.sql`select count(*)::int as count from ${database.sql(table)}`
  return v.parse(v.object({ count: v.number() }), row).count
}
const sumCounts = async () => {
  const rows = await database.sql`
    select status, error_code, sum(count)::int as count from notification_counts group by 1, 2 order by 1, 2`
  return Object.fromEntries(rows.map((row) => [`${row.status} ${row.error_code}`.trim(), row.count]))
}

test.each([
  { level: 'all', isSmall: false, rows: ['dropped', 'failed', 'sent'] },
  { level: 'small_and_failures', isSmall: true, rows: ['dropped', 'failed', 'sent'] },
  { level: 'small_and_failures', isSmall: false, rows: ['dropped', 'failed'] },
  { level: 'failures', isSmall: true, rows: ['dropped', 'failed'] },
] as const)('the level $level stores rows of $rows, small: $isSmall, and counts all', async (given) => {
  const writer = await startPostgresWriter(database.sql, { level: given.level })
  const dropped: TargetEvent = { ...SENT, status: 'dropped', errorCode: 'rate_limited' }
  void writer.analytics.recordEvents({ ...SOURCE, isSmall: given.isSmall }, [SENT, SENT, FAILED, dropped])
  void writer.analytics.recordEvents({ ...SOURCE, isSmall: given.isSmall }, [SENT])
  await writer.flush()
  const rows = await database.sql`select distinct status from notifications order by status`
  expect(rows.map(({ status }) => status)).toEqual(given.rows)
  expect(await sumCounts()).toEqual({ sent: 3, 'failed UNREGISTERED': 1, 'dropped rate_limited': 1 })
})

const texts = fc.string({ unit: 'grapheme', maxLength: 40 })

test('rows have all values of their events; line feeds and NUL are spaces', async () => {
  const writer = await startPostgresWriter(database.sql)
  const events: fc.Arbitrary<TargetEvent> = fc.record({
    status: fc.constantFrom('sent', 'failed', 'expired', 'cancelled', 'dropped'),
    recipient: texts,
    deviceId: texts,
    platform: texts,
    user: texts,
    messageId: texts,
    errorCode: texts,
    errorMessage: fc.oneof(texts, fc.constant('two\nlines\0and NUL')),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(events, { minLength: 1, maxLength: 20 }), async (recorded) => {
      const uid = randomUUID()
      void writer.analytics.recordEvents({ ...SOURCE, uid }, recorded)
      await writer.flush()
      const rows = await database.sql`
        select provider, type, recipient, device_id, platform, user_id, msg_id, status, error_code, error_message
        from notifications where uid = ${uid} order by id`
      expect(rows.map((row) => Object.values(row))).toEqual(
        recorded.map((event) =>
          [
            ...[SOURCE.provider, SOURCE.recipientType, event.recipient, event.deviceId, event.platform, event.user],
            ...[event.messageId, event.status, event.errorCode, event.errorMessage],
          ].map((text) => text.replace(/[\n\0]/g, ' ')),
        ),
      )
    }),
    { numRuns: 30 },
  )
})

test('an attempt is a row of its own, with number and latency', async () => {
  const writer = await startPostgresWriter(database.sql, { level: 'failures', now: () => Date.now() - 60_000 })
  void writer.analytics.recordAttempts(SOURCE, [ATTEMPT])
  await writer.flush()
  expect(
    await database.sql`
      select uid, provider, device_id, attempt, error_code, error_message, latency_ms,
        round(extract(epoch from now() - time)) as age
      from notification_attempts`,
  ).toEqual([
    {
      ...{ uid: SOURCE.uid, provider: 'fcm', device_id: 'a-device', attempt: 2, error_code: 'UNAVAILABLE' },
      ...{ error_message: 'try again', latency_ms: 31, age: expect.stringMatching(/^6[0-9]$/) },
    },
  ])
  expect(await countRows()).toBe(0)
})

test('a batch that is stored again changes nothing', async () => {
  const batch = new RowBatch()
  batch.addEvent(SOURCE, FAILED, Date.now())
  batch.addAttempt(SOURCE, ATTEMPT, Date.now())
  batch.countEvents(SOURCE, [FAILED], Date.now())
  const tokens = [randomUUID(), randomUUID()]
  for (const number of [0, 0, 1, 0]) {
    await storeBatch(database.sql, { token: tokens[number] ?? '', forgotten: [] }, batch.join())
  }
  expect([await countRows(), await countRows('notification_attempts')]).toEqual([2, 2])
  expect(await sumCounts()).toEqual({ 'failed UNREGISTERED': 2 })
  expect(await database.sql`select sum(count)::int as count from notification_hours`).toEqual([{ count: 2 }])
})

test('counts of hours are the sums of those of minutes, and charts of whole hours read them', async () => {
  const reader = new PostgresVolume(database.sql)
  const startMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 3 * HOUR_MS
  const batch = new RowBatch()
  for (const minute of [0, 1, 59, 60, 130]) batch.countEvents(SOURCE, [SENT, SENT], startMs + minute * MINUTE_MS)
  const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()]
  for (const token of [first, second, second, third]) {
    await storeBatch(database.sql, { token, forgotten: [] }, batch.join())
  }
  const read = async (stepMs: number, fromMs = startMs) => {
    const counts = await reader.readVolume({ fromMs, toMs: startMs + 4 * HOUR_MS, stepMs })
    return counts.map(({ timeMs, count }) => [(timeMs - startMs) / MINUTE_MS, count])
  }
  const hours = [
    [0, 18],
    [60, 6],
    [120, 6],
  ]
  expect(await read(HOUR_MS)).toEqual(hours)
  expect(await read(20 * MINUTE_MS)).toEqual([
    [0, 12],
    [40, 6],
    [60, 6],
    [120, 6],
  ])
  await database.sql`truncate notification_counts`
  expect(await read(HOUR_MS)).toEqual(hours)
  expect(await read(HOUR_MS, startMs + MINUTE_MS)).toEqual([])
})

test('rows are stored exactly once while PostgreSQL ends connections', async () => {
  const writer = await startPostgresWriter(database.sql)
  let ended = 0
  let recorded = 0
  while (ended < 5) {
    const events = Array.from({ length: 200 }, () => ({ ...FAILED, deviceId: String(recorded++) }))
    void writer.analytics.recordEvents(SOURCE, events)
    const rows = await database.queueSql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and state = 'active' and query like '%notification_batches%'
        and pid <> pg_backend_pid()`
    ended += rows.length
  }
  await writer.flush()
  const [row] = await database.sql`
    select count(*)::int as rows, count(distinct device_id)::int as devices from notifications`
  expect(row).toEqual({ rows: recorded, devices: recorded })
  expect(await sumCounts()).toEqual({ 'failed UNREGISTERED': recorded })
  expect(await writer.readDrops()).toEqual({})
})

test('rows without room are dropped and counted, and recording continues later', async () => {
  const writer = await startPostgresWriter(database.sql, { maxRows: 100, flushIntervalMs: 60_000 })
  void writer.analytics.recordEvents(
    SOURCE,
    Array.from({ length: 150 }, () => FAILED),
  )
  void writer.analytics.recordAttempts(SOURCE, [ATTEMPT])
  expect(writer.analytics.rows).toBe(100)
  expect(await writer.readDrops()).toEqual({ 'notifications buffer_full': 50, 'attempts buffer_full': 1 })
  await writer.analytics.stop(5000)
  expect(await countRows()).toBe(100)
  expect(await sumCounts()).toEqual({ 'failed UNREGISTERED': 150 })
})

test('rows that PostgreSQL refuses are dropped and counted, and the next ones are stored', async () => {
  await database.sql`alter table notifications add constraint refusing check (msg_id <> 'refused')`
  const writer = await startPostgresWriter(database.sql)
  void writer.analytics.recordEvents(SOURCE, [{ ...SENT, messageId: 'refused' }])
  await writer.flush()
  await database.sql`alter table notifications drop constraint refusing`
  void writer.analytics.recordEvents(SOURCE, [SENT])
  await writer.flush()
  expect(await writer.readDrops()).toEqual({ 'notifications refused': 1 })
  expect(await countRows()).toBe(1)
})

test('a missing partition of today is made by the first row', async () => {
  await database.sql`select drop_notification_days(current_date + 10)`
  const writer = await startPostgresWriter(database.sql)
  void writer.analytics.recordEvents(SOURCE, [SENT])
  await writer.flush()
  await database.sql`select drop_notification_days(current_date + 10)`
  const reports = new PostgresReports({ sql: database.sql, onStored: async () => undefined })
  await reports.recordStatus({ uid: 'u', status: 'delivered', deviceId: 'd', messageId: '' })
  expect(await countRows()).toBe(1)
})

test('days are dropped when all of their rows are older than the time to live', async () => {
  await database.sql`select prepare_notification_days(current_date - 12, current_date)`
  const writer = await startPostgresWriter(database.sql)
  for (const days of [11, 8.5, 6.5, 0]) {
    const batch = new RowBatch()
    batch.addEvent(SOURCE, { ...SENT, deviceId: String(days) }, Date.now() - days * DAY_MS)
    batch.countEvents(SOURCE, [SENT], Date.now() - days * DAY_MS)
    await storeBatch(database.sql, { token: randomUUID(), forgotten: [] }, batch.join())
  }
  await dropOldDays(database.sql, 7 * DAY_MS)
  await prepareDays(database.sql)
  const rows = await database.sql`select device_id from notifications order by time`
  expect(rows.map(({ device_id }) => device_id)).toEqual(['6.5', '0'])
  expect(await countRows('notification_hours')).toBe(2)
  await writer.analytics.stop(0)
})

test('reports are on disk when they are answered, and counted', async () => {
  const writer = await startPostgresWriter(database.sql)
  const reports = new PostgresReports({ sql: database.sql, onStored: (report) => writer.analytics.countReport(report) })
  for (const status of ['delivered', 'interacted'] as const) {
    await reports.recordStatus({ uid: 'u', status, deviceId: 'd', messageId: 'm' })
  }
  expect(await countRows()).toBe(2)
  await writer.flush()
  expect(await sumCounts()).toEqual({ delivered: 1, interacted: 1 })
})
