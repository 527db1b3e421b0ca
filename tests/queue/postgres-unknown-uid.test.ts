// Exclusions of an unknown uid are kept for ten minutes in case its send arrives.
import { expect, onTestFinished, test } from 'vitest'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { deleteForgottenSends } from '../../src/queue/postgres/upkeep-statements.ts'
import { createTestDatabase } from '../support/database.ts'
import { makeTestLogger } from '../support/run-log.ts'

test('an ack of an unknown uid is kept for ten minutes, also after an earlier one', async () => {
  const database = await createTestDatabase()
  const queue = new PostgresQueue({
    sql: database.queueSql,
    logger: makeTestLogger(),
    leaseMs: 15_000,
    maxJobs: 1000,
  })
  onTestFinished(async () => {
    await queue.close()
    await database.drop()
  })
  const ack = (user: string) => queue.exclude('later', { user, deviceId: '', ack: 'seen' })
  const pass = (minutes: number) => database.sql`
    update push_sends set forget_at = forget_at - ${minutes} * interval '1 minute'`
  await ack('ann')
  await pass(9)
  await ack('bob')
  await pass(9)
  await deleteForgottenSends(database.queueSql)
  const drops = await database.sql`select user_id from push_drops order by user_id`
  expect(drops.map(({ user_id }) => user_id)).toEqual(['ann', 'bob'])
})
