// Rows and counts of ended processes are stored by another one, each once.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { TargetAttempt, TargetEvent } from '../../src/analytics/analytics.ts'
import { RowBatch } from '../../src/analytics/postgres/row-batch.ts'
import { storeBatch } from '../../src/analytics/postgres/store-batch.ts'
import { RowKeeper } from '../../src/analytics/spool/row-keeper.ts'
import { Spool } from '../../src/analytics/spool/spool.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { startPostgresWriter } from './postgres-rig.ts'
import { makeDataDir, SENT, SOURCE } from './writer-rig.ts'

const DIRECTORY = 'analytics-postgresql'
const FAILED: TargetEvent = { ...SENT, status: 'failed', errorCode: 'UNREGISTERED', errorMessage: 'two\nlines' }
const ATTEMPT: TargetAttempt = {
  ...{ deviceId: 'a-device', platform: 'ios', user: '', recipient: '', attempt: 2, latencyMs: 31 },
  ...{ errorCode: 'UNAVAILABLE', errorMessage: '' },
}
/** Longer than a test: the rows of such a writer stay in the open file, as those of a killed process. */
const NEVER_MS = 3_600_000

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())
beforeEach(() => database.sql`truncate notifications, notification_attempts, notification_counts`)

const readStored = async () => {
  const counts = await database.sql`
    select status, sum(count)::int as count from notification_counts group by 1 order by 1`
  const [rows] = await database.sql`
    select (select count(*)::int from notifications) as events, (select count(*)::int from notification_attempts) as
      attempts`
  return { ...rows, counts: Object.fromEntries(counts.map(({ status, count }) => [status, count])) }
}
const countFiles = async (dataDir: string) => {
  const entries = await readdir(join(dataDir, DIRECTORY), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).length
}

test('rows and counts that an ended process was collecting are stored by the next one', async () => {
  const dataDir = makeDataDir()
  const ended = await startPostgresWriter(database.sql, { dataDir, flushIntervalMs: NEVER_MS, level: 'failures' })
  await ended.analytics.recordEvents(SOURCE, [SENT, SENT, FAILED])
  await ended.analytics.recordAttempts(SOURCE, [ATTEMPT])
  await ended.analytics.recordEvents(SOURCE, [SENT, FAILED])
  const next = await startPostgresWriter(database.sql, { dataDir })
  await expect.poll(readStored).toEqual({ events: 2, attempts: 1, counts: { sent: 3, failed: 2 } })
  await next.flush()
  expect(await countFiles(dataDir)).toBe(0)
})

test('a batch that an ended process had stored is not stored again', async () => {
  const dataDir = makeDataDir()
  const spool = await Spool.open(dataDir, DIRECTORY)
  const batch = new RowBatch()
  const keeper = new RowKeeper({ spool, logger: makeTestLogger(), name: 'test', collected: batch })
  batch.addEvent(SOURCE, FAILED, Date.now())
  batch.countEvents(SOURCE, [FAILED], Date.now())
  const { token, spooled } = keeper.seal(new RowBatch())
  await spooled
  await storeBatch(database.sql, { token, forgotten: [] }, batch.join())
  expect(await countFiles(dataDir)).toBe(1)
  const next = await startPostgresWriter(database.sql, { dataDir })
  await expect.poll(() => countFiles(dataDir)).toBe(0)
  await next.flush()
  expect(await readStored()).toEqual({ events: 1, attempts: 0, counts: { failed: 1 } })
})

test('a process that is taken for ended loses no row', async () => {
  const dataDir = makeDataDir()
  const running = await startPostgresWriter(database.sql, { dataDir, flushIntervalMs: NEVER_MS })
  await running.analytics.recordEvents(SOURCE, [{ ...SENT, deviceId: 'before' }])
  await startPostgresWriter(database.sql, { dataDir })
  await expect.poll(readStored).toMatchObject({ events: 1 })
  await running.analytics.recordEvents(SOURCE, [{ ...SENT, deviceId: 'after' }])
  await running.analytics.stop(5000)
  const devices = await database.sql`select distinct device_id from notifications order by 1`
  expect(devices.map(({ device_id }) => device_id)).toEqual(['after', 'before'])
})

test('batches that PostgreSQL did not accept until a stop are stored by the next process', async () => {
  const dataDir = makeDataDir()
  await database.sql`alter table notification_counts rename to hidden_counts`
  const stopped = await startPostgresWriter(database.sql, { dataDir })
  await stopped.analytics.recordEvents(SOURCE, [SENT, FAILED])
  await stopped.analytics.stop(200)
  await database.sql`alter table hidden_counts rename to notification_counts`
  expect(await stopped.readDrops()).toEqual({})
  await startPostgresWriter(database.sql, { dataDir })
  await expect.poll(readStored).toEqual({ events: 2, attempts: 0, counts: { sent: 1, failed: 1 } })
})
