import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe } from 'vitest'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { RedisQueue } from '../../src/queue/redis/redis-queue.ts'
import { KillableRedis } from '../support/killable-redis.ts'
import { makeTestLogger } from '../support/run-log.ts'
import type { OpenQueue } from './range-batches/range-rig.ts'
import { describeRecovery } from './range-batches/recovery.ts'
import { describeSending } from './range-batches/sending.ts'

const logger = makeTestLogger()
const MAX_JOBS = 100_000

function describeRangeBatches(open: OpenQueue): void {
  describe('when sent', () => describeSending(open))
  describe('after a failure', () => describeRecovery(open))
}

describe('range batches, with the queue on PostgreSQL', () => {
  describeRangeBatches(async ({ database, leaseMs }) => {
    const queue = new PostgresQueue({
      sql: database.queueSql,
      logger,
      leaseMs,
      maxJobs: MAX_JOBS,
      restartGraceMs: 0,
    })
    return { queue, close: () => queue.close() }
  })
})

describe('range batches, with the queue on Redis', () => {
  let server: KillableRedis
  beforeAll(async () => {
    server = await KillableRedis.start()
  })
  afterAll(() => server.stop())

  describeRangeBatches(async ({ leaseMs }) => {
    const connect = () => new Redis({ port: server.port, host: '127.0.0.1' })
    const queue = new RedisQueue({
      client: connect(),
      subscriber: connect(),
      prefix: randomUUID(),
      logger,
      leaseMs,
      maxJobs: MAX_JOBS,
    })
    return { queue, close: () => queue.close() }
  })
})
