import { afterAll, beforeAll, expect, test } from 'vitest'
import { groupAcknowledgements } from '../../src/queue/postgres/acknowledgements.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { makeSend } from './make-send.ts'

let database: TestDatabase
let queue: PostgresQueue

beforeAll(async () => {
  database = await createTestDatabase()
  queue = new PostgresQueue({ sql: database.queueSql, logger: makeTestLogger(), leaseMs: 15_000, maxJobs: 1000 })
})
afterAll(async () => {
  await queue.close()
  await database.drop()
})

test('an acknowledgement that is repeated while the first one waits stores its retries once', async () => {
  const lines = Buffer.from('\ta\t\t')
  const batch = { provider: 'fcm', lane: 'small', targetKind: 'token', count: 1 } as const
  const batches = [1, 2].map(() => ({ ...batch, targets: { kind: 'lines', lines } as const }))
  await queue.enqueue(makeSend({ lane: 'small' }), { batches, cursor: undefined })
  const [first, second] = await queue.claimBatches('small', ['fcm'], 2)
  if (!first || !second) throw new Error('expected two claims')
  const acknowledgements = groupAcknowledgements(database.queueSql)
  const retry = {
    targets: { kind: 'lines', lines: '\ta\t\t' } as const,
    count: 1,
    delayMs: 0,
    ambiguousAttempts: 0,
  }
  // While the statement of the first is running, the second and its repetition wait.
  const results = await Promise.all([
    acknowledgements.add({ claim: first, retries: [], givenUp: [] }),
    acknowledgements.add({ claim: second, retries: [retry], givenUp: [] }),
    acknowledgements.add({ claim: second, retries: [retry], givenUp: [] }),
  ])
  expect(results).toEqual(['acknowledged', 'acknowledged', 'lost'])
  expect(await queue.claimBatches('small', ['fcm'], 10)).toHaveLength(1)
})
