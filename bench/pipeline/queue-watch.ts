// The queue of a running server, looked at from beside it: metrics say how many were sent, the queue says when it ended.
import { Redis } from 'ioredis'
import type { Sql } from '../../src/database/pool.ts'
import { makeLogger } from '../../src/observability/log.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { RedisQueue } from '../../src/queue/redis/redis-queue.ts'
import { KillableRedis } from '../../tests/support/killable-redis.ts'
import type { PushConfig } from './push-service.ts'

export const QUEUE_NAMES = ['redis', 'postgresql'] as const
export type QueueName = (typeof QUEUE_NAMES)[number]

export interface WatchedQueue {
  queue: Queue
  /** The server's section of the configuration. */
  config: NonNullable<PushConfig['queue']>
  /** Redis' process; undefined where the queue is in the database. */
  pid: number | undefined
  stop(): Promise<void>
}

const OPTIONS = { leaseMs: 15_000, maxJobs: 100_000 }

/** Redis is started for it, with appendonly everysec. */
export async function startQueue(name: QueueName, sql: Sql): Promise<WatchedQueue> {
  const logger = makeLogger({ level: 'error', file: '' })
  if (name === 'postgresql') {
    const queue = new PostgresQueue({ sql, logger, ...OPTIONS })
    return { queue, config: { type: name }, pid: undefined, stop: () => queue.close() }
  }
  const server = await KillableRedis.start()
  const connect = () => {
    const client = new Redis({ port: server.port, host: '127.0.0.1', retryStrategy: () => null })
    // It ended before us: whatever is asked of it says so.
    client.on('error', () => undefined)
    return client
  }
  const prefix = 'bench'
  const queue = new RedisQueue({ client: connect(), subscriber: connect(), prefix, logger, ...OPTIONS })
  return {
    queue,
    config: { type: name, redis: { address: `127.0.0.1:${server.port}`, prefix } },
    pid: server.pid,
    stop: async () => {
      await queue.close()
      await server.stop()
    },
  }
}
