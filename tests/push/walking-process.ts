// A process that walks due sends, for tests that kill it. Its argument is JSON: the store of the queue.
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { openDatabase } from '../../src/database/pool.ts'
import { FanOut } from '../../src/push/fan-out.ts'
import { PageReader } from '../../src/push/page-reader.ts'
import { FULL_DUTY } from '../../src/queue/lane.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { RedisQueue } from '../../src/queue/redis/redis-queue.ts'
import { makeTestLogger } from '../support/run-log.ts'

/** The store of a queue. */
export type QueueStore = { dsn: string } | { port: number; prefix: string }

/** The lease of claims, in ms: the time after which the sends of a killed process are walked again. */
const LEASE_MS = 1000

/** Opens the queue of a store. */
export function openQueue(store: QueueStore): Queue {
  const options = { logger: makeTestLogger(), leaseMs: LEASE_MS, maxJobs: 100_000 }
  if ('dsn' in store) {
    return new PostgresQueue({ sql: openDatabase({ dsn: store.dsn, maxConnections: 5, plans: 'once' }), ...options })
  }
  const connect = () => new Redis({ port: store.port, host: '127.0.0.1' })
  return new RedisQueue({ client: connect(), subscriber: connect(), prefix: store.prefix, ...options })
}

/** Starts the fan-out of sends to raw tokens. */
export function startFanOut(queue: Queue): FanOut {
  const pages = new PageReader({ devices: undefined, batchSizes: new Map([['fcm', 500]]), now: Date.now })
  const fanOut = new FanOut({ duty: FULL_DUTY, queue, pages, logger: makeTestLogger(), heartbeatMs: LEASE_MS / 3 })
  fanOut.start()
  return fanOut
}

const [, program, store] = process.argv
if (program === fileURLToPath(import.meta.url)) startFanOut(openQueue(JSON.parse(store ?? '')))
