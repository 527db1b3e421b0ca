import type { Registry } from 'prom-client'
import type { Analytics, AttemptRecorder, EventRecorder } from '../analytics/analytics.ts'
import { makePostgresAnalytics } from '../analytics/postgres.ts'
import { usesClickhouse } from '../config/check.ts'
import type { OnStop } from '../shutdown-phases.ts'
import type { Databases } from './open-databases.ts'
import type { Plan } from './plan.ts'
import { startClickhouse } from './start-clickhouse.ts'

/** Records what becomes of each target. */
export type Recorder = EventRecorder & AttemptRecorder

interface Options {
  /** The registry for the metrics of an export. */
  registry: Registry
  /** Whether the servers are checked and missing tables are made. A child process leaves that to its parent. */
  checksServers: boolean
}

/**
 * Starts the store of reports: ClickHouse if the export of notifications is enabled, otherwise PostgreSQL. Undefined if
 * there is neither.
 * @throws ConfigError, TableError, or UserError if a server of ClickHouse can't be used
 */
export async function startAnalytics(
  plan: Plan,
  { sql }: Pick<Databases, 'sql'>,
  { registry, checksServers }: Options,
  onStop: OnStop,
): Promise<Analytics | undefined> {
  if (usesClickhouse(plan.config)) return await startClickhouse(plan, registry, checksServers, onStop)
  return sql && makePostgresAnalytics(sql)
}
