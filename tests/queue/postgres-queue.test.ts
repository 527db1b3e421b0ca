import { pino } from 'pino'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { createTestDatabase } from '../support/database.ts'
import { describeQueue } from './contract.ts'

describeQueue('PostgreSQL', async (options) => {
  const database = await createTestDatabase()
  const queue = new PostgresQueue({ sql: database.sql, logger: pino({ level: 'silent' }), ...options })
  return {
    queue,
    async close() {
      await queue.close()
      await database.drop()
    },
  }
})
