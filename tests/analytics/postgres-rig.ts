// The writer of this process for PostgreSQL.
import type { Logger } from 'pino'
import { Registry } from 'prom-client'
import { onTestFinished, vi } from 'vitest'
import { PostgresAnalytics } from '../../src/analytics/postgres/postgres-analytics.ts'
import { Spool } from '../../src/analytics/spool/spool.ts'
import type { RowLevel } from '../../src/config/sections/postgresql-analytics.ts'
import type { Sql } from '../../src/database/pool.ts'
import { addAnalyticsMetrics } from '../../src/observability/analytics-metrics.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { makeDataDir } from './writer-rig.ts'

export interface PostgresWriterOptions {
  level?: RowLevel
  maxRows?: number
  flushIntervalMs?: number
  now?: () => number
  logger?: Logger
  dataDir?: string
}

export interface TestPostgresWriter {
  analytics: PostgresAnalytics
  /** Resolves when all rows and counts are stored. */
  flush(): Promise<void>
  /** The numbers of dropped rows, by type and reason. */
  readDrops(): Promise<Record<string, number>>
}

/** Starts a writer. It is stopped after the current test, if it was not before. */
export async function startPostgresWriter(sql: Sql, options: PostgresWriterOptions = {}): Promise<TestPostgresWriter> {
  const { level = 'all', flushIntervalMs = 5, logger = makeTestLogger(), now = Date.now, maxRows } = options
  const { dataDir = makeDataDir() } = options
  const registry = new Registry()
  const analytics = new PostgresAnalytics({
    sql,
    level,
    spool: await Spool.open(dataDir, 'analytics-postgresql'),
    makeMetrics: addAnalyticsMetrics(registry),
    logger,
    now,
    flushIntervalMs,
    retryPauseMs: 20,
    ...(maxRows !== undefined && { maxRows }),
  })
  analytics.start()
  onTestFinished(() => analytics.stop(5000))
  return {
    analytics,
    flush: () =>
      vi.waitFor(
        () => {
          if (!analytics.isEmpty) throw new Error('rows are not stored yet')
        },
        { timeout: 30_000, interval: 5 },
      ),
    async readDrops() {
      const metric = await registry.getSingleMetric('centripush_clickhouse_analytics_drop_count')?.get()
      const drops = (metric?.values ?? []).filter(({ value }) => value > 0)
      return Object.fromEntries(drops.map(({ labels, value }) => [`${labels.type} ${labels.reason}`, value]))
    },
  }
}
