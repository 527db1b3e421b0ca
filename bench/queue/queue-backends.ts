import { Redis } from 'ioredis'
import type { Sql } from '../../src/database/pool.ts'
import { PostgresRateLimiter } from '../../src/limits/postgres/postgres-rate-limiter.ts'
import type { RateLimiter } from '../../src/limits/rate-limiter.ts'
import { RedisRateLimiter } from '../../src/limits/redis/redis-rate-limiter.ts'
import type { Logger } from '../../src/observability/log.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { RedisQueue } from '../../src/queue/redis/redis-queue.ts'
import { KillableRedis } from '../../tests/support/killable-redis.ts'

/** A queue on one of the stores. */
export interface BenchQueue {
  queue: Queue
  rateLimiter: RateLimiter
  /** The memory of the store; undefined for a store on disk. */
  readStoreBytes(): Promise<number | undefined>
}

/** A store that can run a queue. */
export interface QueueBackend {
  name: 'postgresql' | 'redis'
  /** Runs `work` on a queue and closes it afterwards. `sql` is the database of the devices. */
  withQueue<T>(deps: { sql: Sql; logger: Logger }, work: (queue: BenchQueue) => Promise<T>): Promise<T>
}

const OPTIONS = { leaseMs: 15_000, maxJobs: 100_000 }

/** All stores. */
export const QUEUE_BACKENDS: QueueBackend[] = [
  {
    name: 'postgresql',
    async withQueue({ sql, logger }, work) {
      const queue = new PostgresQueue({ sql, logger, ...OPTIONS })
      try {
        return await work({
          queue,
          rateLimiter: new PostgresRateLimiter({ sql }),
          readStoreBytes: async () => undefined,
        })
      } finally {
        await queue.close()
      }
    },
  },
  {
    name: 'redis',
    async withQueue({ logger }, work) {
      const server = await KillableRedis.start()
      const connect = () => new Redis({ port: server.port, host: '127.0.0.1' })
      const [client, watcher] = [connect(), connect()]
      const queue = new RedisQueue({ client, subscriber: connect(), prefix: 'bench', logger, ...OPTIONS })
      const readStoreBytes = async () => Number(/used_memory:(\d+)/.exec(await watcher.info('memory'))?.[1])
      try {
        const rateLimiter = new RedisRateLimiter({ redis: watcher, prefix: 'bench' })
        return await work({ queue, rateLimiter, readStoreBytes })
      } finally {
        await queue.close()
        watcher.disconnect()
        await server.stop()
      }
    },
  },
]
