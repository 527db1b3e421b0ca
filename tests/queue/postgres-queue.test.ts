import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { createTestDatabase } from '../support/database.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { describeQueue } from './contract.ts'

describeQueue('PostgreSQL', async (options) => {
  const database = await createTestDatabase()
  const queue = new PostgresQueue({ sql: database.queueSql, logger: makeTestLogger(), ...options })
  return {
    queue,
    async close() {
      await queue.close()
      await database.drop()
    },
  }
})
