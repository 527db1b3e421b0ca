import { dropOldDays, prepareDays } from '../analytics/postgres/notification-days.ts'
import { ANSWER_TIMEOUT_MS, EXECUTION_TIMEOUT_MS } from '../database/answer-deadline.ts'
import type { Sql } from '../database/pool.ts'
import { openDatabase } from '../database/pool.ts'
import { Replicas } from '../database/replicas.ts'
import { startUpkeep, type UpkeepTask } from '../database/upkeep.ts'
import { DeviceStore } from '../devices/device-store.ts'
import { makeGrantUpkeep } from '../limits/postgres/grant-upkeep.ts'
import type { OnStop } from '../shutdown-phases.ts'
import type { Databases } from './open-databases.ts'
import { MAX_CONNECTIONS } from './open-databases.ts'
import type { Plan } from './plan.ts'

/** Makes the device store. It reads from replicas if they are configured. */
export function makeDevices({ config, logger }: Plan, sql: Sql, onStop: OnStop): DeviceStore {
  const readsReplicas = config.push_notifications.read_from_replica
  const replicas = readsReplicas ? openReplicas({ config, logger }, sql, onStop) : undefined
  return new DeviceStore({ sql, now: Date.now, replicas })
}

/**
 * Starts the hourly upkeep: inactive devices, the days of analytics, and with a queue on PostgreSQL old grants are
 * deleted.
 */
export function startUpkeepOf(
  { config, logger }: Plan,
  devices: DeviceStore,
  { sql, queueSql }: Databases,
  onStop: OnStop,
): void {
  const maxAgeMs = config.push_notifications.max_inactive_device_interval
  const removeInactive: UpkeepTask = async (signal) => {
    const count = await devices.removeInactive(maxAgeMs, signal)
    if (count > 0) logger.info({ count }, 'devices: inactive devices removed')
  }
  const tasks: UpkeepTask[] = [() => devices.cleanUp()]
  if (maxAgeMs > 0) tasks.push(removeInactive)
  if (sql) {
    tasks.push(() => prepareDays(sql))
    tasks.push(() => dropOldDays(sql, config.postgresql_analytics.ttl))
  }
  if (queueSql) tasks.push(makeGrantUpkeep(queueSql))
  const upkeep = startUpkeep(tasks, logger)
  onStop.close('upkeep', () => upkeep.stop())
}

function openReplicas({ config, logger }: Plan, primary: Sql, onStop: OnStop): Replicas {
  const { replica_dsn: dsns = [], max_connections: maxConnections = MAX_CONNECTIONS } =
    config.database?.postgresql ?? {}
  const replicas = dsns.map((dsn) => openDatabase({ dsn, maxConnections, statementTimeoutMs: EXECUTION_TIMEOUT_MS }))
  for (const replica of replicas) onStop.close('replica', () => replica.end({ timeout: 5 }))
  return new Replicas({ primary, replicas, answerTimeoutMs: ANSWER_TIMEOUT_MS, logger, now: Date.now })
}
