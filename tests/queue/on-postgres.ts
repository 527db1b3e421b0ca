import { afterAll, beforeAll } from 'vitest'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { makeTestLogger } from '../support/run-log.ts'
import type { DescribeQueue } from './contract/contract-rig.ts'
import { emptyQueue } from './empty-queue.ts'

/** Runs a contract on the queue on PostgreSQL. */
export function describeOnPostgres(describeQueue: DescribeQueue): void {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase()
  })
  afterAll(() => database.drop())

  describeQueue('PostgreSQL', async (options) => {
    await emptyQueue(database.sql)
    const queue = new PostgresQueue({ sql: database.queueSql, logger: makeTestLogger(), ...options })
    return { queue, close: () => queue.close() }
  })
}
