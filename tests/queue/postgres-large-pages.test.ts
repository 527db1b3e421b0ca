import { expect, onTestFinished, test } from 'vitest'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { createTestDatabase } from '../support/database.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { batchOf, rangeBatchOf } from './make-batch.ts'
import { makeSend } from './make-send.ts'

test('a page of 10,000 batches of one target, the most with tokens_batch_size 1, is stored', async () => {
  const database = await createTestDatabase()
  const queue = new PostgresQueue({
    sql: database.queueSql,
    logger: makeTestLogger(),
    leaseMs: 15_000,
    maxJobs: 100_000,
  })
  onTestFinished(async () => {
    await queue.close()
    await database.drop()
  })
  await queue.enqueue(makeSend())
  const [walk] = await queue.claimSends('broadcast', 1)
  if (!walk) throw new Error('the send should be due')
  const lines = Array.from({ length: 10_000 }, (_, index) => batchOf('small', `t${index}`))
  expect(await queue.commitPage(walk, { batches: lines, cursor: '1' })).toBe('committed')
  const mixed = [batchOf('small', 'last'), rangeBatchOf({ after: undefined, until: 'u' })]
  expect(await queue.commitPage({ ...walk, cursor: '1' }, { batches: mixed, cursor: '2' })).toBe('committed')
  const ranges = [rangeBatchOf({ after: 'u', until: 'v' })]
  expect(await queue.commitPage({ ...walk, cursor: '2' }, { batches: ranges, cursor: undefined })).toBe('committed')
  expect((await queue.stats()).waiting.get('fcm')).toBe(10_003)
})
