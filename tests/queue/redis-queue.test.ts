import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeAll } from 'vitest'
import { RedisQueue } from '../../src/queue/redis/redis-queue.ts'
import { KillableRedis } from '../support/killable-redis.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { describeQueue } from './contract.ts'

let server: KillableRedis

beforeAll(async () => {
  server = await KillableRedis.start()
})
afterAll(() => server.stop())

describeQueue('Redis', async (options) => {
  const connect = () => new Redis({ port: server.port, host: '127.0.0.1' })
  const queue = new RedisQueue({
    client: connect(),
    subscriber: connect(),
    prefix: randomUUID(),
    logger: makeTestLogger(),
    ...options,
  })
  return { queue, close: () => queue.close() }
})
