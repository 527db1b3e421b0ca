import * as v from 'valibot'
import { expect, test, vi } from 'vitest'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import type { NewBatch } from '../../src/queue/queue.ts'
import { createTestDatabase } from '../support/database.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { makeSend } from './make-send.ts'

const BATCHES = 500
const BATCH_BYTES = 40_000
const Sizes = v.object({ bytes: v.number(), vacuums: v.number() })

test('new batches take the room of those that have ended, so that a long broadcast does not fill the disk', async () => {
  const database = await createTestDatabase()
  const { sql, queueSql } = database
  const queue = new PostgresQueue({ sql: queueSql, logger: makeTestLogger(), leaseMs: 60_000, maxJobs: 100_000 })
  const lines = Buffer.alloc(BATCH_BYTES, 'x')
  const batch: NewBatch = { provider: 'fcm', lane: 'broadcast', targetKind: 'token', count: 1, lines }
  const look = async () => {
    const [row] = await sql`
      select pg_total_relation_size('push_batches')::float8 as bytes, vacuum_count::float8 as vacuums
      from pg_stat_user_tables where relname = 'push_batches'`
    return v.parse(Sizes, row)
  }
  const sendAll = async () => {
    for (let page = 0; page < BATCHES / 50; page++) {
      await queue.enqueue(makeSend(), { batches: Array.from({ length: 50 }, () => batch), cursor: undefined })
    }
    for (let claimed = 0; claimed < BATCHES; ) {
      const claims = await queue.claimBatches('broadcast', ['fcm'], 50)
      await Promise.all(claims.map((claim) => queue.acknowledge(claim, { retries: [], givenUp: [] })))
      claimed += claims.length
    }
  }
  try {
    for (let round = 1; round <= 4; round++) {
      await sendAll()
      await vi.waitFor(async () => expect((await look()).vacuums).toBeGreaterThanOrEqual(round), { timeout: 20_000 })
    }
    // The vacuum that the last acknowledgement of a round begins does not see that one yet.
    expect((await look()).bytes).toBeLessThan(BATCHES * BATCH_BYTES * 2)
  } finally {
    await queue.close()
    await database.drop()
  }
})
