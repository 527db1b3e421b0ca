import { expect, test } from 'vitest'
import { openDatabase } from '../../src/database/pool.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { createTestDatabase } from '../support/database.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { makeSend } from './make-send.ts'

const BATCHES = 3000

test('statements that were planned while the queue was empty read no table from end to end once it is full', async () => {
  const database = await createTestDatabase()
  const sql = openDatabase({ dsn: database.dsn, maxConnections: 1, plans: 'once' })
  const queue = new PostgresQueue({ sql, logger: makeTestLogger(), leaseMs: 15_000, maxJobs: 100_000 })
  const line = Buffer.from('00000000-0000-0000-0000-000000000000\ttoken\t\tandroid')
  const batch = { provider: 'fcm', lane: 'broadcast', targetKind: 'token', count: 1, lines: line } as const
  const work = async (claims: number) => {
    const send = makeSend({ recipient: { kind: 'filter', filter: NOBODY } })
    await queue.enqueue(send)
    for (const walk of await queue.claimSends('broadcast', 8)) {
      await queue.commitPage(walk, { batches: [batch], cursor: undefined })
    }
    for (let claim = 0; claim < claims; claim++) {
      const claimed = await queue.claimBatches('broadcast', ['fcm', 'apns'], 8)
      await queue.extend(claimed)
      for (const one of claimed) {
        await queue.loadSend(one.uid)
        await queue.acknowledge(one, { retries: [], givenUp: [] })
      }
    }
    await queue.findCancelled([send.uid])
  }
  try {
    // Often enough that the server would have settled for a plan without being told.
    for (let round = 0; round < 10; round++) await work(2)
    const full = makeSend()
    await queue.enqueue(full, { batches: Array.from({ length: BATCHES }, () => batch), cursor: undefined })
    const before = await countScans(sql)
    await work(50)
    expect(await countScans(sql)).toEqual(before)
  } finally {
    await queue.close()
    await sql.end({ timeout: 0 })
    await database.drop()
  }
})

test('a claim of a walk reads its own send, however many have ended since it was planned', async () => {
  const database = await createTestDatabase()
  const sql = openDatabase({ dsn: database.dsn, maxConnections: 1, plans: 'once' })
  const queue = new PostgresQueue({ sql, logger: makeTestLogger(), leaseMs: 15_000, maxJobs: 100_000 })
  const { takenPages } = queue
  const walk = async () => {
    await queue.enqueue(makeSend({ recipient: { kind: 'filter', filter: NOBODY }, takesPages: true }))
    const claim = await takenPages.claimSend()
    const page = claim && (await takenPages.takePage(claim, undefined))
    if (!page || page === 'lost') throw new Error('the walk is not ours')
    const batch = { provider: 'fcm', lane: 'broadcast', targetKind: 'token', count: 1, lines: TARGET } as const
    const [taken] = await takenPages.openPage(page, [batch])
    if (!taken || typeof taken === 'string') throw new Error('the page is not ours')
    await takenPages.claimLost(1)
    await queue.acknowledge(taken, { retries: [], givenUp: [] })
  }
  try {
    // As workers do on a queue that nobody has used.
    for (let round = 0; round < 10; round++) await takenPages.claimSend()
    await sql`
      insert into push_sends (uid, state, request_hash) select 'ended ' || n, 3, '' from generate_series(1, ${ENDED}::int) as n`
    const before = await countReads(sql)
    for (let round = 0; round < ROUNDS; round++) await walk()
    expect((await countReads(sql)) - before).toBeLessThan(ENDED)
  } finally {
    await queue.close()
    await sql.end({ timeout: 0 })
    await database.drop()
  }
})

const ENDED = 5000
const ROUNDS = 20
const TARGET = Buffer.from('00000000-0000-0000-0000-000000000001\ttoken\t\t')

/** Rows that were read of the sends. */
async function countReads(sql: ReturnType<typeof openDatabase>): Promise<number> {
  await sql`select pg_stat_force_next_flush()`
  const [row] = await sql<{ reads: string }[]>`
    select seq_tup_read + idx_tup_fetch as reads from pg_stat_user_tables where relname = 'push_sends'`
  return Number(row?.reads)
}

const NOBODY = { ids: [], users: ['nobody'], topics: [], providers: [], platforms: [] }

/** How often each table of the queue was read from end to end, as the statistics of the one connection say. */
async function countScans(sql: ReturnType<typeof openDatabase>) {
  await sql`select pg_stat_force_next_flush()`
  return await sql`
    select relname, seq_scan from pg_stat_user_tables where relname in ('push_batches', 'push_sends') order by relname`
}
