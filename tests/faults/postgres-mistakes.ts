import { setTimeout as delay } from 'node:timers/promises'
import { openDatabase, type Sql } from '../../src/database/pool.ts'
import { insertNewBatches } from '../../src/queue/postgres/new-batches.ts'
import { settleBatches } from '../../src/queue/postgres/settle-statements.ts'
import type { BatchClaim } from '../../src/queue/batch.ts'
import type { PageClaim } from '../../src/queue/queue.ts'
import { alterQueues, alterTakenPages } from './alter-queue.ts'
import type { StoreMistakes } from './store-mistakes.ts'

/** In which a page is nowhere but in memory: kills fall into it. */
const IN_MEMORY_MS = 50

export function makePostgresMistakes(dsn: string): StoreMistakes {
  return {
    writeBatches: (uid, batches) =>
      withConnection(dsn, async (sql) => {
        await sql`
          with live as (
            update push_sends set open_batches = open_batches + ${batches.length} where uid = ${uid} returning uid
          )
          ${insertNewBatches(sql, batches, 'live')}`
      }),
    dropFence: () =>
      alterQueues({
        acknowledge: (own) => async (claim, left) => {
          return own.acknowledge({ ...claim, fence: await findFence(dsn, claim) }, left)
        },
        extend: (own) => async (claims) => {
          const fences = await Promise.all(claims.map((claim) => findFence(dsn, claim)))
          return own.extend(claims.map((claim, index) => ({ ...claim, fence: fences[index] ?? claim.fence })))
        },
      }),
    acknowledgeTaken: (claims) =>
      withConnection(dsn, async (sql) => {
        await settleBatches(
          sql,
          claims.map((claim) => ({ claim, retries: [], givenUp: [] })),
        )
      }),
    endTakenClaims: () =>
      alterTakenPages({
        claimLost: (own) => async (limit) => {
          await withConnection(
            dsn,
            (sql) => sql`update push_batches set claimable_at = clock_timestamp() where targets is null`,
          )
          return own.claimLost(limit)
        },
      }),
    keepPagesInMemory: () =>
      alterTakenPages({
        takePage: (own) => async (claim, until) => {
          const page = await own.takePage(claim, until)
          if (page === 'lost') return page
          await withConnection(dsn, (sql) => sql`delete from push_pages where id = ${page.id}`)
          await delay(IN_MEMORY_MS)
          return page
        },
        openPage: (own) => async (page, batches) => own.openPage(await writePage(dsn, page), batches),
      }),
    trimStreams: () => undefined,
  }
}

/** The present fence of a batch. */
function findFence(dsn: string, { id, fence }: BatchClaim): Promise<number> {
  return withConnection(dsn, async (sql) => {
    const [row] = await sql<{ fence: string }[]>`select fence from push_batches where id = ${id}`
    return Number(row?.fence ?? fence)
  })
}

/** @returns the claim of what was written */
function writePage(dsn: string, page: PageClaim): Promise<PageClaim> {
  const { uid, fence, range } = page
  return withConnection(dsn, async (sql) => {
    const [row] = await sql<{ id: string }[]>`
      insert into push_pages (uid, fence, range_after, range_until, claimable_at)
      values (${uid}, ${fence}, ${range.after ?? null}, ${range.until ?? null}, clock_timestamp() + interval '1 minute')
      returning id`
    return { ...page, id: row?.id ?? page.id }
  })
}

/** An open connection would keep a stopped process from ending, so each call has its own. */
async function withConnection<T>(dsn: string, work: (sql: Sql) => PromiseLike<T>): Promise<T> {
  const sql = openDatabase({ dsn, maxConnections: 1 })
  try {
    return await work(sql)
  } finally {
    await sql.end()
  }
}
