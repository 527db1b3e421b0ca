import { describe } from 'vitest'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { makeTestLogger } from '../support/run-log.ts'
import type { OpenQueue } from './range-batches/range-rig.ts'
import { describeRecovery } from './range-batches/recovery.ts'
import { describeSending } from './range-batches/sending.ts'

const logger = makeTestLogger()

const openPostgres: OpenQueue = async ({ database, leaseMs }) => {
  const queue = new PostgresQueue({ sql: database.queueSql, logger, leaseMs, maxJobs: 100_000, restartGraceMs: 0 })
  return { queue, close: () => queue.close() }
}

describe.each([{ store: 'PostgreSQL', open: openPostgres }])('range batches, with the queue on $store', ({ open }) => {
  describe('when sent', () => describeSending(open))
  describe('after a failure', () => describeRecovery(open))
})
