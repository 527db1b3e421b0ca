import { chooseRedis } from '../config/check.ts'
import type { Sql } from '../database/pool.ts'
import { PostgresRateLimiter } from '../limits/postgres/postgres-rate-limiter.ts'
import type { RateLimiter } from '../limits/rate-limiter.ts'
import { RedisRateLimiter } from '../limits/redis/redis-rate-limiter.ts'
import type { OnStop } from '../shutdown-phases.ts'
import { openRedis } from './open-redis.ts'
import type { Plan } from './plan.ts'

/**
 * Makes the rate limiter. It is in the store of the queue, because all workers share that store.
 * @param queueSql the database of the queue; undefined for a queue on Redis
 */
export async function makeRateLimiter(plan: Plan, queueSql: Sql | undefined, onStop: OnStop): Promise<RateLimiter> {
  if (queueSql) return new PostgresRateLimiter({ sql: queueSql })
  const redis = await openRedis(plan)
  onStop.close('rate limiter', async () => redis.disconnect())
  return new RedisRateLimiter({ redis, prefix: chooseRedis(plan.config).prefix })
}
