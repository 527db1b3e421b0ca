// Batches that ClickHouse has not accepted survive the end of their process.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { TestClickhouse } from '../support/clickhouse/clickhouse-server.ts'
import { type FaultProxy, startFaultProxy } from '../support/clickhouse/fault-proxy.ts'
import { describeOnClickhouse } from './describe-on-clickhouse.ts'
import { DATABASE, makeDataDir, resetTables, SENT, SOURCE, startWriter, type TestWriter } from './writer-rig.ts'

const PROGRAM = resolve(import.meta.dirname, 'writer-process.ts')

describeOnClickhouse('the spool', () => {
  let clickhouse: TestClickhouse
  let proxy: FaultProxy
  beforeAll(async () => {
    clickhouse = await TestClickhouse.start()
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

  const waitUntilSent = async (writer: TestWriter) =>
    await vi.waitFor(() => expect(writer.analytics.rows).toBe(0), { timeout: 30_000, interval: 10 })
  const expectStored = async (rows: number) => {
    const counts = await clickhouse.query(`SELECT count(), uniqExact(device_id) FROM ${DATABASE}.notifications`)
    expect(counts).toBe(`${rows}\t${rows}`)
  }
  /** Lists the files of the spool. It rejects if a directory is removed meanwhile. */
  const listFiles = async (dataDir: string) => {
    const entries = await readdir(join(dataDir, 'analytics'), { recursive: true, withFileTypes: true })
    return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  }
  const BATCH_FILES = Array.from({ length: 5 }, () => expect.stringMatching(/\.100$/))
  /** Starts a process that records five batches of 100 rows, which ClickHouse gets and never acknowledges. */
  const startProcess = async (dataDir: string) => {
    proxy.set('hold')
    const before = proxy.inserts
    const child = fork(PROGRAM, [proxy.url, dataDir], { execArgv: ['--import', 'tsx'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    await vi.waitFor(async () => expect(await listFiles(dataDir)).toEqual(BATCH_FILES), { timeout: 30_000 })
    // Otherwise the first insert could find a proxy that does not hold it any more.
    await vi.waitFor(() => expect(proxy.inserts).toBeGreaterThan(before), { timeout: 30_000, interval: 10 })
    return child
  }

  test('gives the batches of a killed process to the next one, which stores each row once', async () => {
    const dataDir = makeDataDir()
    const child = await startProcess(dataDir)
    await vi.waitFor(() => expectStored(100), { timeout: 10_000, interval: 20 })
    child.kill('SIGKILL')
    await once(child, 'exit')
    proxy.set('forward')
    const writer = await startWriter({ urls: [proxy.url], dataDir })
    await vi.waitFor(() => expectStored(500), { timeout: 10_000, interval: 20 })
    await waitUntilSent(writer)
    await expectStored(500)
    expect(await listFiles(dataDir)).toEqual([])
  })

  test('gives the rows that an ended process was collecting to the next one', async () => {
    const dataDir = makeDataDir()
    const ended = await startWriter({ urls: [proxy.url], dataDir, flushIntervalMs: 3_600_000 })
    await ended.analytics.recordEvents(SOURCE, [
      { ...SENT, deviceId: 'one' },
      { ...SENT, deviceId: 'two' },
    ])
    await ended.analytics.recordEvents(SOURCE, [{ ...SENT, deviceId: 'three' }])
    const next = await startWriter({ urls: [proxy.url], dataDir })
    await vi.waitFor(() => expectStored(3), { timeout: 10_000, interval: 20 })
    await waitUntilSent(next)
    expect(await listFiles(dataDir)).toEqual([])
  })

  test('leaves the batches of a running process to it', async () => {
    const dataDir = makeDataDir()
    await startProcess(dataDir)
    const writer = await startWriter({ urls: [proxy.url], dataDir })
    proxy.set('forward')
    writer.record(7)
    await waitUntilSent(writer)
    expect((await listFiles(dataDir)).length).toBeGreaterThanOrEqual(4)
  })

  test('keeps the rows that a stopped writer could not send, for the next one', async () => {
    const dataDir = makeDataDir()
    const first = await startWriter({ urls: [proxy.url], dataDir })
    proxy.set('refuse')
    first.record(150)
    await first.analytics.stop(100)
    proxy.set('forward')
    const second = await startWriter({ urls: [proxy.url], dataDir })
    await vi.waitFor(() => expectStored(150), { timeout: 10_000, interval: 20 })
    await waitUntilSent(second)
  })

  test('reports a damaged file, and sends the others', async () => {
    const dataDir = makeDataDir()
    const child = await startProcess(dataDir)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const [damaged = ''] = await listFiles(dataDir)
    await writeFile(damaged, 'other bytes')
    proxy.set('forward')
    const writer = await startWriter({ urls: [proxy.url], dataDir })
    const readDrops = () => writer.readMetric('centripush_clickhouse_analytics_drop_count')
    await vi.waitFor(async () => expect(await readDrops()).toEqual({ 'reason=damaged': 100 }), { timeout: 10_000 })
    await waitUntilSent(writer)
    expect(await listFiles(dataDir)).toEqual([])
  })

  test('can be missing: without its directory rows are sent from memory, and lost ones are counted at a stop', async () => {
    const file = join(makeDataDir(), 'file')
    await writeFile(file, '')
    const writer = await startWriter({ urls: [proxy.url], dataDir: file })
    writer.record(100)
    await waitUntilSent(writer)
    await expectStored(100)
    proxy.set('refuse')
    writer.record(50)
    await writer.analytics.stop(100)
    expect(await writer.readMetric('centripush_clickhouse_analytics_drop_count')).toEqual({ 'reason=shutdown': 50 })
  })
})
