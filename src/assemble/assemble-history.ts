import type { EventReader } from '../analytics/analytics.ts'
import { PostgresReader } from '../analytics/postgres/postgres-reader.ts'
import { usesClickhouse } from '../config/check.ts'
import { ConfigError } from '../config/config-error.ts'
import { PROVIDER_NAMES } from '../config/provider-names.ts'
import { joinEmbeddedPostgres } from '../database/embedded.ts'
import type { ExplainDeps } from '../explain/explain-push.ts'
import type { Queue } from '../queue/queue.ts'
import { makeShutdownPhases } from '../shutdown-phases.ts'
import { makeDevices } from './make-devices.ts'
import { makeExplain } from './make-explain.ts'
import { makeQueue } from './make-queue.ts'
import { openDatabases } from './open-databases.ts'
import { makeCommandPlan, type Plan } from './plan.ts'
import { openClickhouseReader } from './start-clickhouse.ts'

/** The parts that show past pushes: reports, events and explanations. */
export interface History {
  /** The queue, which has the reports of sends. */
  queue: Queue
  /** The reader of events. @throws ConfigError without a database */
  events(): EventReader
  /** The parts of an explanation. @throws ConfigError without a database */
  explain(): ExplainDeps
  stop(): Promise<void>
}

/** Opens the parts that show past pushes, for a command. @throws ConfigError, UserError */
export async function assembleHistory(commandPlan: Plan): Promise<History> {
  const plan = makeCommandPlan(commandPlan)
  const { config } = plan
  const { onStop, stop } = makeShutdownPhases(plan.logger)
  try {
    const { sql, queueSql } = await openDatabases(plan, onStop, joinEmbeddedPostgres)
    const queue = await makeQueue(plan, queueSql, onStop)
    const database = () => {
      if (!sql) throw new ConfigError('database.enabled: is false, so there are no devices')
      return sql
    }
    const events = () =>
      usesClickhouse(config)
        ? openClickhouseReader(config.clickhouse_analytics, onStop)
        : new PostgresReader(database())
    const providers = config.push_notifications.enabled_providers ?? PROVIDER_NAMES
    const explain = () =>
      makeExplain(config, { queue, devices: makeDevices(plan, database(), onStop), events: events(), providers })
    return { queue, events, explain, stop: () => stop(0) }
  } catch (error) {
    await stop(0)
    throw error
  }
}
