import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeAll } from 'vitest'
import { PartitionedRedisQueue } from '../../src/queue/redis/partitioned-queue.ts'
import { RedisQueue } from '../../src/queue/redis/redis-queue.ts'
import { KillableRedis } from '../support/killable-redis.ts'
import { makeTestLogger } from '../support/run-log.ts'
import type { DescribeQueue } from './contract/contract-rig.ts'

/** Runs a contract on the queue on Redis, with one partition and with several. */
export function describeOnRedis(describeQueue: DescribeQueue): void {
  let server: KillableRedis
  beforeAll(async () => {
    server = await KillableRedis.start()
  })
  afterAll(() => server.stop())

  const connect = () => new Redis({ port: server.port, host: '127.0.0.1' })
  const open = () => ({ client: connect(), subscriber: connect(), prefix: randomUUID(), logger: makeTestLogger() })

  describeQueue('Redis', async (options) => {
    const queue = new RedisQueue({ ...open(), ...options })
    return { queue, close: () => queue.close() }
  })

  describeQueue('Redis in partitions', async (options) => {
    const queue = new PartitionedRedisQueue({ ...open(), ...options, partitions: 5, maxSilenceMs: 0 })
    return { queue, close: () => queue.close() }
  })
}
