import { afterAll, beforeAll } from 'vitest'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { describeQueue } from './contract.ts'
import { emptyQueue } from './empty-queue.ts'

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
