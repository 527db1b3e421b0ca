// The reader of recorded rows, on both stores.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type AttemptRecorder,
  CursorError,
  type EventQuery,
  type EventReader,
  type EventRecorder,
  type RecordedEvent,
  type StatusReport,
} from '../../src/analytics/analytics.ts'
import { ClickhouseReader } from '../../src/analytics/clickhouse/clickhouse-reader.ts'
import { ClickhouseServer } from '../../src/analytics/clickhouse/clickhouse-server.ts'
import { PostgresReader } from '../../src/analytics/postgres/postgres-reader.ts'
import { PostgresReports } from '../../src/analytics/postgres/postgres-reports.ts'
import { TestClickhouse } from '../support/clickhouse/clickhouse-server.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { describeOnClickhouse } from './describe-on-clickhouse.ts'
import { startPostgresWriter } from './postgres-rig.ts'
import { DATABASE, resetTables, SENT, SOURCE, startWriter } from './writer-rig.ts'

interface Store {
  reader: EventReader
  recorder: EventRecorder & AttemptRecorder
  report(report: StatusReport): Promise<void>
  flush(): Promise<void>
}

const ALL: EventQuery = { uid: '', deviceIds: [], user: '', includesAttempts: false, cursor: '', limit: 1000 }
const ATTEMPT = {
  ...{ deviceId: 'phone', platform: 'ios', user: 'anna', recipient: '', attempt: 1, latencyMs: 120 },
  ...{ errorCode: 'UNAVAILABLE', errorMessage: 'later' },
}

/** The tests for a store. @param start starts its writer for the current test */
function testReader(start: () => Promise<Store>): void {
  const readPages = async (reader: EventReader, query: EventQuery) => {
    const events: RecordedEvent[] = []
    let cursor: string | undefined = ''
    while (cursor !== undefined) {
      const page = await reader.listEvents({ ...query, cursor })
      expect(page.events.length).toBeLessThanOrEqual(query.limit)
      events.push(...page.events)
      cursor = page.nextCursor
    }
    return events
  }

  test('selects rows by uid, devices and user, and all values arrive', async () => {
    const { reader, recorder, report, flush } = await start()
    void recorder.recordEvents({ ...SOURCE, uid: 'first' }, [{ ...SENT, deviceId: 'phone', user: 'anna' }])
    void recorder.recordEvents({ ...SOURCE, uid: 'first' }, [{ ...SENT, deviceId: 'tablet', user: 'anna' }])
    void recorder.recordEvents({ ...SOURCE, uid: 'second' }, [{ ...SENT, deviceId: 'phone', user: 'ben' }])
    void recorder.recordAttempts({ ...SOURCE, uid: 'first' }, [ATTEMPT])
    await report({ uid: 'first', status: 'delivered', deviceId: 'phone', messageId: 'm' })
    await flush()
    const find = async (query: Partial<EventQuery>) => {
      const { events } = await reader.listEvents({ ...ALL, ...query })
      return events.map(({ uid, deviceId, user, status }) => `${uid} ${deviceId} ${user} ${status}`).sort()
    }
    const first = ['first phone  delivered', 'first phone anna sent', 'first tablet anna sent']
    expect(await find({ uid: 'first' })).toEqual(first)
    expect(await find({ uid: 'first', includesAttempts: true })).toEqual([...first, 'first phone anna retry'].sort())
    expect(await find({ user: 'anna' })).toEqual(first.slice(1))
    expect(await find({ deviceIds: ['phone'] })).toEqual([...first.slice(0, 2), 'second phone ben sent'])
    expect(await find({ uid: 'first', deviceIds: ['phone', 'tablet'] })).toEqual(first)
    expect(await find({ uid: 'second', user: 'anna' })).toEqual([])
    const { events } = await reader.listEvents({ ...ALL, uid: 'first', user: 'anna', includesAttempts: true, limit: 9 })
    expect(events.find(({ status }) => status === 'retry')).toEqual({
      ...{ uid: 'first', status: 'retry', provider: 'fcm', recipientType: 'token', messageId: '' },
      ...ATTEMPT,
      timeMs: expect.any(Number),
    })
    for (const { timeMs } of events) expect(Math.abs(Date.now() - timeMs)).toBeLessThan(60_000)
  })

  test('pages have each row once, the newest first, also rows that are equal', async () => {
    const { reader, recorder, flush } = await start()
    const source = { ...SOURCE, uid: 'paged' }
    void recorder.recordEvents(
      source,
      Array.from({ length: 25 }, () => ({ ...SENT, status: 'failed' as const })),
    )
    void recorder.recordEvents(
      source,
      Array.from({ length: 25 }, (_, at) => ({ ...SENT, deviceId: String(at) })),
    )
    void recorder.recordAttempts(
      source,
      Array.from({ length: 25 }, (_, at) => ({ ...ATTEMPT, attempt: at + 1 })),
    )
    await flush()
    const query = { ...ALL, uid: 'paged', includesAttempts: true }
    const all = await readPages(reader, query)
    expect(all).toHaveLength(75)
    expect(all.map(({ timeMs }) => timeMs)).toEqual(all.map(({ timeMs }) => timeMs).toSorted((a, b) => b - a))
    for (const limit of [1, 7, 25, 74, 75]) expect(await readPages(reader, { ...query, limit })).toEqual(all)
  })

  test.each(['x', '1-2', '1-99999999999999999999-0', '-1-1-1', '1-1-1;'])('refuses the cursor %s', async (cursor) => {
    const { reader } = await start()
    await expect(reader.listEvents({ ...ALL, uid: 'u', cursor })).rejects.toThrow(CursorError)
  })
}

describe('in PostgreSQL', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase()
  })
  afterAll(() => database.drop())

  testReader(async () => {
    await database.sql`truncate notifications, notification_attempts`
    const { analytics, flush } = await startPostgresWriter(database.sql)
    const reports = new PostgresReports({ sql: database.sql, onStored: async () => undefined })
    return {
      reader: new PostgresReader(database.sql),
      recorder: analytics,
      report: (report) => reports.recordStatus(report),
      flush,
    }
  })
})

describeOnClickhouse('in ClickHouse', () => {
  let clickhouse: TestClickhouse
  let server: ClickhouseServer
  beforeAll(async () => {
    clickhouse = await TestClickhouse.start()
    server = new ClickhouseServer({ url: clickhouse.url, user: 'default', password: '', tls: {} })
  })
  afterAll(async () => {
    await server.close()
    await clickhouse.stop()
  })

  testReader(async () => {
    await resetTables(clickhouse)
    const { analytics } = await startWriter({ urls: [clickhouse.url], flushIntervalMs: 5 })
    const tables = { database: DATABASE, cluster: '', ttl: '7 DAY' }
    return {
      reader: new ClickhouseReader({ servers: [server], tables }),
      recorder: analytics,
      report: (report) => analytics.recordStatus(report),
      flush: () => analytics.stop(30_000),
    }
  })
})
