// After a start of PostgreSQL, the leases of surviving workers may have ended while it was unreachable.
import { expect, onTestFinished, test } from 'vitest'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { createTestDatabase } from '../support/database.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { batchOf, rangeBatchOf } from './make-batch.ts'
import { makeSend } from './make-send.ts'

/** Longer than the server of the tests has been running. */
const IN_GRACE_MS = 24 * 3_600_000
const UNTIL = '00000000-0000-4000-8000-000000000000'
const BATCHES = [batchOf('broadcast', 'a'), rangeBatchOf({ after: undefined, until: UNTIL })]

async function openQueues() {
  const database = await createTestDatabase()
  const open = (restartGraceMs: number) =>
    new PostgresQueue({
      sql: database.queueSql,
      logger: makeTestLogger(),
      leaseMs: 15_000,
      maxJobs: 1000,
      restartGraceMs,
    })
  const [inGrace, afterGrace] = [open(IN_GRACE_MS), open(0)]
  onTestFinished(async () => {
    await Promise.all([inGrace.close(), afterGrace.close()])
    await database.drop()
  })
  const endLeases = () => database.sql`update push_batches set claimable_at = clock_timestamp() where claimed`
  return { inGrace, afterGrace, endLeases }
}

test('claimed batches whose lease has ended are not claimed in the grace after a start, waiting ones are', async () => {
  const { inGrace, afterGrace, endLeases } = await openQueues()
  await inGrace.enqueue(makeSend(), { batches: BATCHES, cursor: undefined })
  const claimed = await inGrace.claimBatches('broadcast', ['fcm'], 10)
  expect(claimed).toHaveLength(2)
  await endLeases()
  const waiting = makeSend()
  await inGrace.enqueue(waiting, { batches: [batchOf('broadcast', 'b')], cursor: undefined })
  expect(await inGrace.claimBatches('broadcast', ['fcm'], 10)).toMatchObject([{ uid: waiting.uid }])
  const recovered = await afterGrace.claimBatches('broadcast', ['fcm'], 10)
  expect(recovered.map(({ id }) => id)).toEqual(claimed.map(({ id }) => id))
})

test('a surviving worker can extend and acknowledge its claims in the grace', async () => {
  const { inGrace, afterGrace, endLeases } = await openQueues()
  await inGrace.enqueue(makeSend(), { batches: BATCHES, cursor: undefined })
  const claimed = await inGrace.claimBatches('broadcast', ['fcm'], 10)
  await endLeases()
  expect(await inGrace.confirm(claimed, 0)).toEqual(claimed.map(() => 'valid'))
  expect(await afterGrace.claimBatches('broadcast', ['fcm'], 10)).toEqual([])
  for (const claim of claimed) {
    expect(await inGrace.acknowledge(claim, { retries: [], givenUp: [] })).toBe('acknowledged')
  }
})

test('a released batch is claimable in the grace', async () => {
  const { inGrace } = await openQueues()
  await inGrace.enqueue(makeSend(), { batches: BATCHES, cursor: undefined })
  await inGrace.release(await inGrace.claimBatches('broadcast', ['fcm'], 10))
  expect(await inGrace.claimBatches('broadcast', ['fcm'], 10)).toHaveLength(2)
})
