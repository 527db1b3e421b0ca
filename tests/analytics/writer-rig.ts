// The writer of this process for a real ClickHouse, with short pauses, and the rows that it recorded.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { Registry } from 'prom-client'
import { onTestFinished } from 'vitest'
import type { EventSource, TargetEvent } from '../../src/analytics/analytics.ts'
import type { ClickhouseAnalytics } from '../../src/analytics/clickhouse/clickhouse-analytics.ts'
import { ClickhouseServer } from '../../src/analytics/clickhouse/clickhouse-server.ts'
import { makeClickhouseAnalytics } from '../../src/analytics/clickhouse/make-clickhouse-analytics.ts'
import { prepareTables } from '../../src/analytics/clickhouse/prepare-tables.ts'
import { addAnalyticsMetrics } from '../../src/observability/analytics-metrics.ts'
import type { TestClickhouse } from '../support/clickhouse/clickhouse-server.ts'
import { makeTestLogger } from '../support/run-log.ts'

export const DATABASE = 'centrifugo'

export interface WriterOptions {
  urls: readonly string[]
  cluster?: string
  user?: string
  password?: string
  dataDir?: string
  flushRows?: number
  flushIntervalMs?: number
  maxRows?: number
  answerTimeoutMs?: number
  logger?: Logger
}

export interface TestWriter {
  analytics: ClickhouseAnalytics
  registry: Registry
  /** Records `count` events with new device ids. */
  record(count: number, event?: Partial<TargetEvent>): void
  /** The values of a metric of events that are not 0, by its labels, in the form `reason=refused`. */
  readMetric(name: string): Promise<Record<string, number>>
}

export const SOURCE: EventSource = { uid: 'a-send', provider: 'fcm', recipientType: 'token', isSmall: true }

export const SENT: TargetEvent = {
  status: 'sent',
  recipient: '',
  deviceId: '',
  platform: 'android',
  user: 'a-user',
  messageId: 'a-message',
  errorCode: '',
  errorMessage: '',
}

/** Users of a server: `default`, and `exporter` with a password. */
export const USERS = `
<users>
  <default><password></password><networks><ip>::/0</ip></networks><profile>default</profile></default>
  <exporter><password>the-password</password><networks><ip>::/0</ip></networks><profile>default</profile></exporter>
</users>
<profiles><default/></profiles>`

/** A directory that is removed after the current test. */
export function makeDataDir(): string {
  const directory = mkdtempSync(join(tmpdir(), 'centripush-analytics-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Replaces the tables of a server by empty ones. */
export async function resetTables(clickhouse: TestClickhouse): Promise<void> {
  await clickhouse.query(`DROP DATABASE IF EXISTS ${DATABASE} SYNC`)
  const server = new ClickhouseServer({ url: clickhouse.url, user: 'default', password: '', tls: {} })
  await prepareTables(server, { database: DATABASE, cluster: '', ttl: '7 DAY', makesTables: true })
  await server.close()
}

/** Starts a writer. It is stopped after the current test, if it was not before. */
export async function startWriter(options: WriterOptions): Promise<TestWriter> {
  const writer = await makeWriter({ dataDir: makeDataDir(), ...options })
  onTestFinished(() => writer.analytics.stop(0))
  return writer
}

/** Makes and starts a writer that its caller stops. */
export async function makeWriter(options: WriterOptions & { dataDir: string }): Promise<TestWriter> {
  const { urls, cluster = '', user = 'default', password = '', dataDir, logger = makeTestLogger() } = options
  const { flushRows = 1000, flushIntervalMs = 50, maxRows = 1_000_000, answerTimeoutMs = 5000 } = options
  const registry = new Registry()
  const tables = { database: DATABASE, cluster, ttl: '7 DAY', makesTables: cluster === '' }
  const servers = urls.map((url) => new ClickhouseServer({ url, user, password, tls: {}, answerTimeoutMs }))
  const analytics = await makeClickhouseAnalytics({
    servers,
    tables,
    dataDir,
    makeMetrics: addAnalyticsMetrics(registry),
    logger,
    pauses: { firstMs: 20, longestMs: 200, operatorMs: 100 },
    flushRows,
    flushIntervalMs,
    maxRows,
  })
  analytics.start()
  let recorded = 0
  return {
    analytics,
    registry,
    record(count, event = {}) {
      const events = Array.from({ length: count }, () => ({ ...SENT, deviceId: `device-${recorded++}`, ...event }))
      void analytics.recordEvents(SOURCE, events)
    },
    async readMetric(name) {
      const metric = await registry.getSingleMetric(name)?.get()
      const nameLabels = ({ labels }: { labels: object }) =>
        Object.entries(labels)
          .filter(([label]) => label !== 'type')
          .map((pair) => pair.join('='))
          .join(' ')
      const values = metric?.values.filter(({ labels, value }) => labels.type === 'notifications' && value !== 0) ?? []
      return Object.fromEntries(values.map((value) => [nameLabels(value), value.value]))
    },
  }
}
