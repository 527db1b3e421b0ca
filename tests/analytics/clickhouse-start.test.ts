// The whole server with a configuration for ClickHouse, from its start to its shutdown.
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { startAssembly } from '../support/assembly.ts'
import { findFreePort } from '../support/centripush-process.ts'
import { TestClickhouse } from '../support/clickhouse/clickhouse-server.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { describeOnClickhouse } from './describe-on-clickhouse.ts'
import { makeDataDir, USERS } from './writer-rig.ts'

/** The difference between the default ports of the native protocol and of HTTP. */
const NATIVE_OFFSET = 9000 - 8123
const REPORT = { analytics_uid: 'a-send', status: 'delivered', device_id: 'a-device', msg_id: 'a-message' }
/** The section of Centrifugo PRO's documentation, with other addresses. */
const PRO_EXAMPLE = {
  enabled: true,
  clickhouse_database: 'centrifugo',
  export: {
    connections: { enabled: true, http_headers: ['Origin', 'User-Agent'] },
    subscriptions: { enabled: true },
    operations: { enabled: true },
    publications: { enabled: true },
    notifications: { enabled: true },
  },
}

describeOnClickhouse('a server', () => {
  let clickhouse: TestClickhouse
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase()
    clickhouse = await TestClickhouse.start({ users: USERS })
  })
  afterAll(async () => {
    await clickhouse.stop()
    await database.drop()
  })
  beforeEach(() => clickhouse.query('DROP DATABASE IF EXISTS centrifugo SYNC'))

  const start = async (section: object, logger?: Parameters<typeof startAssembly>[2]) => {
    const options = { data_dir: makeDataDir(), clickhouse_analytics: { ...PRO_EXAMPLE, ...section } }
    const server = await startAssembly(database.dsn, options, logger)
    onTestFinished(() => server.stop(0))
    return server
  }
  const dsnWith = (credentials: string) => `tcp://${credentials}127.0.0.1:${clickhouse.port + NATIVE_OFFSET}`

  test('with PRO’s example stores reports in PRO’s table, and sends the last ones at its shutdown', async () => {
    const server = await start({ clickhouse_dsn: [dsnWith('exporter:the-password@')] })
    for (const status of ['delivered', 'interacted']) {
      const answer = await server.post('/update_push_status', { ...REPORT, status })
      expect(await answer.json()).toEqual({ result: {} })
    }
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    expect(metrics).toContain('centripush_clickhouse_analytics_buffered_rows{type="notifications"} 2')
    await server.stop(1000)
    const rows = await clickhouse.query(
      'SELECT uid, device_id, msg_id, status FROM centrifugo.notifications WHERE time > now() - toIntervalHour(24)',
    )
    expect(rows.split('\n')).toEqual(
      ['delivered', 'interacted'].map((status) => `a-send\ta-device\ta-message\t${status}`),
    )
    expect(await database.sql`select from notifications`).toHaveLength(0)
  })

  test('stores the reports of a request that has a process of its own', async () => {
    const server = await start({ clickhouse_dsn: [clickhouse.url] })
    const commands = Array.from({ length: 3000 }, (_, index) => ({
      update_push_status: { ...REPORT, msg_id: `message-${index}`.padEnd(64, '-') },
    }))
    const answer = await server.post('/batch', { commands })
    expect(await answer.json()).toEqual({ replies: commands.map(() => ({ update_push_status: {} })) })
    await server.stop(1000)
    expect(await clickhouse.query('SELECT count(), uniqExact(msg_id) FROM centrifugo.notifications')).toBe('3000\t3000')
    expect(await database.sql`select from notifications`).toHaveLength(0)
  })

  test('has the metrics of PRO', async () => {
    const notifications = { enabled: true, flush_interval: '10ms' }
    const server = await start({ clickhouse_dsn: [clickhouse.url], export: { notifications } })
    await server.post('/update_push_status', REPORT)
    const read = async () => await (await fetch(`${server.url}/metrics`)).text()
    const lines = [
      'flush_duration_seconds_histogram_count{type="notifications",retries="0",result="ok"} 1',
      'batch_size_histogram_sum{type="notifications"} 1',
    ].map((line) => `centrifugo_clickhouse_analytics_${line}`)
    await vi.waitFor(async () => expect((await read()).split('\n')).toEqual(expect.arrayContaining(lines)), 10_000)
    expect(await read()).toContain('# TYPE centrifugo_clickhouse_analytics_drop_count counter')
  })

  test('does not start with a wrong password, and does not show it', async () => {
    const error = await start({ clickhouse_dsn: [dsnWith('exporter:wrong-password@')] }).catch((thrown) => thrown)
    expect(error.message).toMatch(/^clickhouse_analytics: http:\/\/127\.0\.0\.1:\d+ can't be used: .*\(516\)/)
    expect(error.message).not.toContain('wrong-password')
  })

  test('does not start when a server can’t be reached, unless skip_ping_on_start allows it', async () => {
    const dsn = `http://127.0.0.1:${await findFreePort()}`
    await expect(start({ clickhouse_dsn: [dsn] })).rejects.toThrow(/can't be used: .*ECONNREFUSED.*skip_ping_on_start/)
    const server = await start({ clickhouse_dsn: [dsn], skip_ping_on_start: true })
    expect(await (await server.post('/update_push_status', REPORT)).json()).toEqual({ result: {} })
  })

  test('does not start with tables that do not fit, even with skip_ping_on_start', async () => {
    const section = { clickhouse_dsn: [clickhouse.url], skip_schema_initialization: true, skip_ping_on_start: true }
    await expect(start(section)).rejects.toThrow('CREATE TABLE IF NOT EXISTS `centrifugo`.`notifications`')
  })

  test('without the export of notifications stores reports in PostgreSQL', async () => {
    const server = await start({ clickhouse_dsn: [], export: {} })
    await server.post('/update_push_status', REPORT)
    expect(await database.sql`delete from notifications returning status`).toEqual([{ status: 'delivered' }])
  })
})
