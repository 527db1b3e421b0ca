// ClickHouse fails in every way while rows are recorded. Each row is stored exactly once, or is dropped and counted.
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { TestClickhouse } from '../support/clickhouse/clickhouse-server.ts'
import { type FaultProxy, startFaultProxy } from '../support/clickhouse/fault-proxy.ts'
import { describeOnClickhouse } from './describe-on-clickhouse.ts'
import {
  DATABASE,
  makeDataDir,
  resetTables,
  startWriter,
  type TestWriter,
  USERS,
  type WriterOptions,
} from './writer-rig.ts'

const DROPS = 'centripush_clickhouse_analytics_drop_count'
/** Enough rows for a body of several parts, which is sent during some milliseconds. */
const LARGE_BATCH = 20_000

describeOnClickhouse('a writer', () => {
  let clickhouse: TestClickhouse
  let proxy: FaultProxy
  beforeAll(async () => {
    clickhouse = await TestClickhouse.start({ users: USERS })
    proxy = await startFaultProxy(clickhouse.port)
  })
  afterAll(async () => {
    await proxy.stop()
    await clickhouse.stop()
  })
  beforeEach(async () => {
    await resetTables(clickhouse)
    proxy.set('forward')
  })

  const start = (options: Partial<WriterOptions> = {}) => startWriter({ urls: [proxy.url], ...options })
  const readCounts = async () =>
    await clickhouse.query(`SELECT count(), uniqExact(device_id) FROM ${DATABASE}.notifications`)
  const waitUntilSent = async (writer: TestWriter) =>
    await vi.waitFor(() => expect(writer.analytics.rows).toBe(0), { timeout: 30_000, interval: 10 })
  const expectStored = async (rows: number) => expect(await readCounts()).toBe(`${rows}\t${rows}`)

  test.each([0.1, 0.6, 1])('stores each row once when the server is killed after %d of an insert', async (part) => {
    const writer = await start({ flushRows: LARGE_BATCH })
    let killed: Promise<void> | undefined
    proxy.onForwarded = (bytes) => {
      if (bytes >= part * LARGE_BATCH * 60) killed ??= clickhouse.kill()
    }
    writer.record(2 * LARGE_BATCH)
    await vi.waitFor(() => expect(killed).toBeDefined(), { timeout: 10_000, interval: 1 })
    proxy.onForwarded = undefined
    await killed
    writer.record(10)
    await clickhouse.restart()
    await waitUntilSent(writer)
    await expectStored(2 * LARGE_BATCH + 10)
  })

  test('stores each row once when the server is killed between storing the batch and its answer', async () => {
    const writer = await start({ answerTimeoutMs: 500 })
    let killed: Promise<void> | undefined
    proxy.set('hold')
    proxy.onAnswer = () => {
      killed ??= clickhouse.kill()
    }
    writer.record(1000)
    await vi.waitFor(() => expect(killed).toBeDefined(), { timeout: 10_000, interval: 1 })
    proxy.onAnswer = undefined
    await killed
    proxy.set('forward')
    await clickhouse.restart()
    await expectStored(1000)
    await waitUntilSent(writer)
    await expectStored(1000)
  })

  test.each(['refuse', 'loseAnswer'] as const)(
    'stores each row once after many inserts with the fault %s',
    async (fault) => {
      const writer = await start()
      proxy.set(fault)
      const before = proxy.inserts
      writer.record(2500)
      await vi.waitFor(() => expect(proxy.inserts - before).toBeGreaterThan(5), { timeout: 10_000 })
      proxy.set('forward')
      await waitUntilSent(writer)
      await expectStored(2500)
      const failures = await writer.readMetric('centrifugo_clickhouse_analytics_flush_duration_seconds_histogram')
      expect(failures).toMatchObject({ 'retries=0 result=error': 1, 'retries=5+ result=ok': 1 })
    },
  )

  test('stores each row once when the server is too slow to answer', async () => {
    const writer = await start({ answerTimeoutMs: 200 })
    proxy.set('hold')
    const before = proxy.inserts
    writer.record(500)
    await vi.waitFor(() => expect(proxy.inserts - before).toBeGreaterThan(1), { timeout: 10_000 })
    proxy.set('forward')
    await waitUntilSent(writer)
    await expectStored(500)
  })

  test('drops the newest rows above its limit, counts them, and records again when there is room', async () => {
    const writer = await start({ flushRows: 100, maxRows: 1000 })
    proxy.set('refuse')
    writer.record(700)
    writer.record(700, { user: 'late' })
    expect(writer.analytics.rows).toBe(1000)
    proxy.set('forward')
    await waitUntilSent(writer)
    writer.record(5)
    await waitUntilSent(writer)
    await expectStored(1005)
    expect(await clickhouse.query(`SELECT count() FROM ${DATABASE}.notifications WHERE user = 'late'`)).toBe('300')
    expect(await writer.readMetric(DROPS)).toEqual({ 'reason=buffer_full': 400 })
    expect(await writer.readMetric('centrifugo_clickhouse_analytics_drop_count')).toEqual({ '': 400 })
  })

  test('drops a batch that the table refuses, counts it, and stores the next', async () => {
    const writer = await start({ flushRows: 100 })
    await clickhouse.query(`ALTER TABLE ${DATABASE}.notifications ADD CONSTRAINT known CHECK user != 'unknown'`)
    writer.record(100, { user: 'unknown' })
    writer.record(100)
    await waitUntilSent(writer)
    await expectStored(100)
    expect(await writer.readMetric(DROPS)).toEqual({ 'reason=refused': 100 })
  })

  test('keeps rows while the table has another shape, and stores them when it is corrected', async () => {
    const writer = await start()
    await clickhouse.query(`ALTER TABLE ${DATABASE}.notifications RENAME COLUMN msg_id TO message`)
    const before = proxy.inserts
    writer.record(100)
    await vi.waitFor(() => expect(proxy.inserts - before).toBeGreaterThan(1), { timeout: 10_000 })
    await clickhouse.query(`ALTER TABLE ${DATABASE}.notifications RENAME COLUMN message TO msg_id`)
    await waitUntilSent(writer)
    await expectStored(100)
  })

  test('keeps rows while its password is wrong, and stores them after a start with the right one', async () => {
    const dataDir = makeDataDir()
    const before = proxy.inserts
    const first = await start({ user: 'exporter', password: 'wrong-password', dataDir })
    first.record(100)
    await vi.waitFor(() => expect(proxy.inserts - before).toBeGreaterThan(1), { timeout: 10_000 })
    await first.analytics.stop(100)
    await start({ user: 'exporter', password: 'the-password', dataDir })
    await vi.waitFor(() => expectStored(100), { timeout: 10_000, interval: 20 })
  })

  test('makes the table again when it was dropped', async () => {
    const writer = await start()
    await clickhouse.query(`DROP DATABASE ${DATABASE} SYNC`)
    writer.record(100)
    await waitUntilSent(writer)
    await expectStored(100)
  })
})
