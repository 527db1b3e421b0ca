import { chooseRedis } from '../config/check.ts'
import type { RedisOptions } from '../config/redis.ts'
import { waitForStore } from '../observability/wait-for-store.ts'
import { connectRedis, type RedisClient } from '../redis/connect.ts'
import { RedisConnectError } from '../redis/connect-error.ts'
import { type Plan, storeWaitMs } from './plan.ts'

/**
 * Opens a connection to the Redis of the queue. Waits while Redis is starting, as long as `database.connect_timeout`
 * allows.
 * @param overrides options that this connection has in place of the configured ones
 * @throws ConfigError, RedisConnectError
 */
export function openRedis(plan: Plan, overrides: Partial<RedisOptions> = {}): Promise<RedisClient> {
  const { config, logger, signal } = plan
  const options = { ...chooseRedis(config), ...overrides }
  const timeoutMs = storeWaitMs(plan)
  const mayPass = (error: unknown) => error instanceof RedisConnectError && error.mayPass
  return waitForStore({ name: 'redis', timeoutMs, mayPass, logger, signal }, () => connectRedis(options, logger))
}
