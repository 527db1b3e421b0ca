import type { Registry } from 'prom-client'
import { PostgresAnalytics } from '../analytics/postgres/postgres-analytics.ts'
import { PostgresReader } from '../analytics/postgres/postgres-reader.ts'
import { PostgresReports } from '../analytics/postgres/postgres-reports.ts'
import { PostgresVolume } from '../analytics/postgres/postgres-volume.ts'
import { Spool } from '../analytics/spool/spool.ts'
import { usesClickhouse } from '../config/check.ts'
import type { Sql } from '../database/pool.ts'
import { addAnalyticsMetrics } from '../observability/analytics-metrics.ts'
import type { OnStop } from '../shutdown-phases.ts'
import type { Databases } from './open-databases.ts'
import type { Plan } from './plan.ts'
import type { RunningAnalytics } from './running-analytics.ts'
import { startClickhouse } from './start-clickhouse.ts'

/** The time for the last rows of a shutdown, in ms. */
const STOP_GRACE_MS = 3000

interface Options {
  /** The registry for the metrics of analytics. */
  registry: Registry
  /** Whether the servers are checked and missing tables are made. A child process leaves that to its parent. */
  checksServers: boolean
}

/**
 * Starts the store of reports and events: ClickHouse if the export of notifications is enabled, otherwise PostgreSQL.
 * Undefined if there is neither.
 * @throws ConfigError, TableError, or UserError if a server of ClickHouse can't be used
 */
export async function startAnalytics(
  plan: Plan,
  { sql }: Pick<Databases, 'sql'>,
  { registry, checksServers }: Options,
  onStop: OnStop,
): Promise<RunningAnalytics | undefined> {
  if (usesClickhouse(plan.config)) return await startClickhouse(plan, registry, checksServers, onStop)
  return sql && (await startPostgres(plan, sql, registry, onStop))
}

async function startPostgres(
  { config, logger }: Plan,
  sql: Sql,
  registry: Registry,
  onStop: OnStop,
): Promise<RunningAnalytics> {
  const { enabled, rows } = config.postgresql_analytics
  const [reader, volume] = [new PostgresReader(sql), new PostgresVolume(sql)]
  if (!enabled) {
    return {
      reports: new PostgresReports({ sql, onStored: async () => undefined }),
      recorder: undefined,
      reader,
      volume,
    }
  }
  const makeMetrics = addAnalyticsMetrics(registry)
  const spool = await Spool.open(config.data_dir, 'analytics-postgresql')
  const recorder = new PostgresAnalytics({ sql, level: rows, spool, makeMetrics, logger, now: Date.now })
  recorder.start()
  onStop.close('analytics', () => recorder.stop(STOP_GRACE_MS))
  const reports = new PostgresReports({ sql, onStored: (report) => recorder.countReport(report) })
  return { reports, recorder, reader, volume }
}
