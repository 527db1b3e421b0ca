// Two servers as the shards of a cluster. The tables are made here on each server: the ClickHouse of the tests has no
// Keeper, so it has no replicas and no statements for a whole cluster.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ClickhouseReader } from '../../src/analytics/clickhouse/clickhouse-reader.ts'
import { ClickhouseServer } from '../../src/analytics/clickhouse/clickhouse-server.ts'
import { listTables, makeCreateDatabase, makeCreateTable } from '../../src/analytics/clickhouse/table-statements.ts'
import { findFreePort } from '../support/centripush-process.ts'
import { TestClickhouse } from '../support/clickhouse/clickhouse-server.ts'
import { type FaultProxy, startFaultProxy } from '../support/clickhouse/fault-proxy.ts'
import { describeOnClickhouse } from './describe-on-clickhouse.ts'
import { DATABASE, SENT, startWriter, type TestWriter } from './writer-rig.ts'

const CLUSTER = 'centrifugo_cluster'
const TABLES = { database: DATABASE, cluster: CLUSTER, ttl: '7 DAY' }

/** The statements of a cluster, for one server without Keeper. */
function forOneServer(statement: string): string {
  return statement
    .replace(` ON CLUSTER '${CLUSTER}'`, '')
    .replace(/ReplicatedMergeTree\([^)]*\)/, 'MergeTree')
    .replace(/replicated_deduplication_window_seconds = \d+/, 'min_bytes_for_wide_part = 0')
    .replace('replicated_deduplication_window', 'non_replicated_deduplication_window')
}

describeOnClickhouse('a writer with a cluster', () => {
  let shards: TestClickhouse[]
  let proxies: FaultProxy[]
  beforeAll(async () => {
    const tcpPorts = [await findFreePort(), await findFreePort()]
    const remotes = tcpPorts.map(
      (port) => `<shard><replica><host>127.0.0.1</host><port>${port}</port></replica></shard>`,
    )
    const configuration = `<remote_servers><${CLUSTER}>${remotes.join('')}</${CLUSTER}></remote_servers>`
    shards = await Promise.all(tcpPorts.map((tcpPort) => TestClickhouse.start({ configuration, tcpPort })))
    for (const shard of shards) {
      await shard.query(forOneServer(makeCreateDatabase(TABLES)))
      for (const table of listTables(TABLES)) await shard.query(forOneServer(makeCreateTable(TABLES, table)))
    }
    proxies = await Promise.all(shards.map(({ port }) => startFaultProxy(port)))
  })
  afterAll(async () => {
    await Promise.all(proxies.map((proxy) => proxy.stop()))
    await Promise.all(shards.map((shard) => shard.stop()))
  })

  const recordSends = (writer: TestWriter, prefix: string, count: number) => {
    for (let send = 0; send < count; send++) {
      void writer.analytics.recordEvents(
        { uid: `${prefix}-${send}`, provider: 'fcm', recipientType: 'token', isSmall: true },
        [SENT],
      )
    }
  }
  const waitUntilSent = async (writer: TestWriter) =>
    await vi.waitFor(() => expect(writer.analytics.rows).toBe(0), { timeout: 30_000, interval: 10 })
  const countIn = async (table: string, prefix: string) =>
    await Promise.all(
      shards.map((shard) =>
        shard.query(`SELECT count(), uniqExact(uid) FROM ${DATABASE}.${table} WHERE uid LIKE '${prefix}-%'`),
      ),
    )

  test('distributes the rows over the shards', async () => {
    const writer = await startWriter({ urls: proxies.map(({ url }) => url), cluster: CLUSTER })
    recordSends(writer, 'spread', 1000)
    await waitUntilSent(writer)
    expect(await countIn('notifications_distributed', 'spread')).toEqual(['1000\t1000', '1000\t1000'])
    const parts = (await countIn('notifications', 'spread')).map((counts) => Number.parseInt(counts, 10))
    for (const part of parts) expect(part).toBeGreaterThan(300)
  })

  test('is read at any server, also while the first one does not answer', async () => {
    const writer = await startWriter({ urls: proxies.map(({ url }) => url), cluster: CLUSTER })
    for (let send = 0; send < 50; send++) {
      const source = { uid: `read-${send}`, provider: 'fcm', recipientType: 'token', isSmall: true }
      void writer.analytics.recordEvents(source, [{ ...SENT, user: 'reader' }])
    }
    await waitUntilSent(writer)
    const closed = `http://127.0.0.1:${await findFreePort()}`
    const urls = [closed, ...shards.map(({ url }) => url)]
    const servers = urls.map((url) => new ClickhouseServer({ url, user: 'default', password: '', tls: {} }))
    const reader = new ClickhouseReader({ servers, tables: TABLES })
    const query = { uid: '', deviceIds: [], user: 'reader', includesAttempts: true, cursor: '', limit: 30 }
    const first = await reader.listEvents(query)
    const second = await reader.listEvents({ ...query, cursor: first.nextCursor ?? '' })
    const uids = [...first.events, ...second.events].map(({ uid }) => uid)
    expect([uids.length, new Set(uids).size, second.nextCursor]).toEqual([50, 50, undefined])
    await Promise.all(servers.map((server) => server.close()))
  })

  test('stores each row once when an insert without an answer is repeated at another server', async () => {
    const writer = await startWriter({ urls: proxies.map(({ url }) => url), cluster: CLUSTER })
    proxies[0]?.set('loseAnswer')
    const before = proxies.map(({ inserts }) => inserts)
    recordSends(writer, 'moved', 1000)
    await waitUntilSent(writer)
    proxies[0]?.set('forward')
    expect(proxies.map(({ inserts }, index) => inserts - (before[index] ?? 0))).toEqual([1, 1])
    expect(await countIn('notifications_distributed', 'moved')).toEqual(['1000\t1000', '1000\t1000'])
  })

  test('stores each row once when a shard was down during inserts', async () => {
    const [, second] = shards
    const writer = await startWriter({ urls: proxies.map(({ url }) => url), cluster: CLUSTER })
    await second?.kill()
    const before = proxies[0]?.inserts ?? 0
    recordSends(writer, 'down', 1000)
    await vi.waitFor(() => expect((proxies[0]?.inserts ?? 0) - before).toBeGreaterThan(2), { timeout: 20_000 })
    await second?.restart()
    await waitUntilSent(writer)
    expect(await countIn('notifications_distributed', 'down')).toEqual(['1000\t1000', '1000\t1000'])
  })
})
