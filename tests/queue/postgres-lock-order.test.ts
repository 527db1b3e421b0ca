// A worker looks at its claims, stores their progress and acknowledges some of them at the same time.
import { expect, onTestFinished, test } from 'vitest'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { createTestDatabase } from '../support/database.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { batchOf } from './make-batch.ts'
import { makeSend } from './make-send.ts'

const BATCHES = 600
const ROUNDS = 4
const ENDED = 20

async function claimBatches() {
  const database = await createTestDatabase()
  const queue = new PostgresQueue({ sql: database.queueSql, logger: makeTestLogger(), leaseMs: 15_000, maxJobs: 1000 })
  onTestFinished(async () => {
    await queue.close()
    await database.drop()
  })
  const batches = Array.from({ length: BATCHES }, (_, index) => batchOf('small', `t${index}`))
  await queue.enqueue(makeSend({ lane: 'small' }), { batches, cursor: undefined })
  return { queue, claims: await queue.claimBatches('small', ['fcm'], BATCHES) }
}

test('statements about the same claims never wait for each other in a circle', async () => {
  const { queue, claims } = await claimBatches()
  for (let round = 0; round < ROUNDS; round++) {
    // The batches that began last end first.
    const last = claims.toReversed()
    await Promise.all([
      queue.confirm(claims, 0),
      queue.checkpoint(last.map((claim) => ({ claim, finished: Uint8Array.of(0), note: '' }))),
      queue.confirm(last, 0),
      ...last.slice(0, ENDED).map((claim) => queue.acknowledge(claim, { retries: [], givenUp: [] })),
    ])
    claims.splice(-ENDED)
  }
  expect(await queue.confirm(claims, 0)).toEqual(claims.map(() => 'valid'))
})

test('looks at the same time extend the same leases, and none of them finds a claim lost', async () => {
  const { queue, claims } = await claimBatches()
  for (let round = 0; round < ROUNDS; round++) {
    const looks = await Promise.all([1, 2, 3].map(() => queue.confirm(claims, 0)))
    expect(looks.map((states) => states.filter((state) => state !== 'valid'))).toEqual([[], [], []])
  }
})
