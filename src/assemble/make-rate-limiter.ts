import { chooseRedis } from '../config/check.ts'
import type { Sql } from '../database/pool.ts'
import { PostgresRateLimiter } from '../limits/postgres/postgres-rate-limiter.ts'
import type { RateLimiter } from '../limits/rate-limiter.ts'
import { RedisRateLimiter } from '../limits/redis/redis-rate-limiter.ts'
import { connectRedis } from '../redis/connect.ts'
import type { OnStop } from '../shutdown-phases.ts'
import type { Plan } from './plan.ts'

/**
 * Makes the rate limiter. It is in the store of the queue, because all workers share that store.
 * @param queueSql the database of the queue; undefined for a queue on Redis
 */
export async function makeRateLimiter(
  { config, logger }: Plan,
  queueSql: Sql | undefined,
  onStop: OnStop,
): Promise<RateLimiter> {
  if (queueSql) return new PostgresRateLimiter({ sql: queueSql })
  const options = chooseRedis(config)
  const redis = await connectRedis(options, logger)
  onStop.close('rate limiter', async () => redis.disconnect())
  return new RedisRateLimiter({ redis, prefix: options.prefix })
}
