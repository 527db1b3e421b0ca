// Reads the queue of a running server, which shows the end of a send. The server's metrics have the number of pushes.
import { Redis } from 'ioredis'
import type { Sql } from '../../src/database/pool.ts'
import { makeLogger } from '../../src/observability/log.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { RedisQueue } from '../../src/queue/redis/redis-queue.ts'
import { KillableRedis } from '../../tests/support/killable-redis.ts'
import type { PushConfig } from './push-service.ts'

/** The stores of a queue. */
export const QUEUE_NAMES = ['redis', 'postgresql'] as const
export type QueueName = (typeof QUEUE_NAMES)[number]

/** The queue of a server, for reading. */
export interface WatchedQueue {
  queue: Queue
  /** The server's section of the configuration. */
  config: NonNullable<PushConfig['queue']>
  /** The process of Redis; undefined when the queue is in the database. */
  pid: number | undefined
  stop(): Promise<void>
}

const OPTIONS = { leaseMs: 15_000, maxJobs: 100_000 }

/** Opens a queue. For Redis it starts a server with appendonly everysec. */
export async function startQueue(name: QueueName, sql: Sql): Promise<WatchedQueue> {
  const logger = makeLogger({ level: 'error', file: '' })
  if (name === 'postgresql') {
    const queue = new PostgresQueue({ sql, logger, ...OPTIONS })
    return { queue, config: { type: name }, pid: undefined, stop: () => queue.close() }
  }
  const server = await KillableRedis.start()
  const connect = () => {
    const client = new Redis({ port: server.port, host: '127.0.0.1', retryStrategy: () => null })
    // Redis may end before this client; its calls reject then.
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
