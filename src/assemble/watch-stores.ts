import { chooseQueue, chooseRedis } from '../config/check.ts'
import { DatabaseCheck } from '../database/database-check.ts'
import { explainDatabaseOutage } from '../database/database-outage.ts'
import type { Logger } from '../observability/log.ts'
import { makeStoreLogger } from '../observability/store-logger.ts'
import { STORES, type Store, type StoreCheck, StoreMonitor, type StoreOutage } from '../observability/store-monitor.ts'
import { QueueFullError } from '../push/queue-full-error.ts'
import { RedisCheck } from '../redis/redis-check.ts'
import { explainRedisOutage } from '../redis/redis-outage.ts'
import type { OnStop } from '../shutdown-phases.ts'
import type { Databases } from './open-databases.ts'
import { openRedis } from './open-redis.ts'
import type { Plan } from './plan.ts'

/** Takes an outage that work of this process, or of one of its worker processes, has met. */
export type OnStoreOutage = (store: Store, outage: StoreOutage) => void

/** The stores of a server, watched. */
export interface WatchedStores {
  /** Whether all stores work, from memory. */
  isUp(): boolean
  /** The state of each store, from memory. */
  monitors: ReadonlyMap<Store, { isUp: boolean }>
  onOutage: OnStoreOutage
}

const EXPLAIN = { postgresql: explainDatabaseOutage, redis: explainRedisOutage } as const

/** The time limit of the monitor applies, and not that of the client. */
const CHECK_IO_TIMEOUT_MS = 60_000

/** Begins to watch the configured stores. @throws ConfigError when Redis can't be reached */
export async function watchStores(plan: Plan, databases: Databases, onStop: OnStop): Promise<WatchedStores> {
  const { logger } = plan
  const monitors = new Map<Store, StoreMonitor>()
  const watch = (store: Store, checks: readonly StoreCheck[]) => {
    const monitor = new StoreMonitor({ store, checks, explain: EXPLAIN[store], logger, now: () => performance.now() })
    monitors.set(store, monitor)
    onStop.close('store monitor', () => monitor.stop())
  }
  const dsns = [...new Set([databases.dsn, databases.queueDsn])].filter((dsn) => dsn !== undefined)
  if (dsns.length > 0)
    watch(
      'postgresql',
      dsns.map((dsn) => new DatabaseCheck(dsn)),
    )
  if (chooseQueue(plan.config) === 'redis') watch('redis', [await makeRedisCheck(plan)])
  return {
    monitors,
    isUp: () => [...monitors.values()].every((monitor) => monitor.isUp),
    onOutage: (store, outage) => monitors.get(store)?.onFailure(outage),
  }
}

async function makeRedisCheck(plan: Plan): Promise<StoreCheck> {
  const client = await openRedis(plan, { io_timeout: CHECK_IO_TIMEOUT_MS })
  return new RedisCheck({ client, prefix: chooseRedis(plan.config).prefix })
}

/** The logger of the parts that work on the stores. @param onOutage takes the outages behind their failures */
export function makeLoggerOfStores({ config, logger }: Plan, onOutage: OnStoreOutage): Logger {
  return makeStoreLogger(logger, (error) => {
    if (error instanceof QueueFullError) {
      onOutage(chooseQueue(config), error.outage)
      return true
    }
    for (const store of STORES) {
      const outage = EXPLAIN[store](error)
      if (!outage) continue
      onOutage(store, outage)
      return true
    }
    return false
  })
}
