import { openDatabase, type Sql } from '../../src/database/pool.ts'
import { insertNewBatches } from '../../src/queue/postgres/new-batches.ts'
import type { BatchClaim } from '../../src/queue/queue.ts'
import { alterQueues } from './alter-queue.ts'
import type { StoreMistakes } from './store-mistakes.ts'

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
    trimStreams: () => undefined,
  }
}

/** The fence that a batch has, whoever holds it. */
function findFence(dsn: string, { id, fence }: BatchClaim): Promise<number> {
  return withConnection(dsn, async (sql) => {
    const [row] = await sql<{ fence: string }[]>`select fence from push_batches where id = ${id}`
    return Number(row?.fence ?? fence)
  })
}

/** A connection that stays open would keep a process from ending that was told to stop. */
async function withConnection<T>(dsn: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = openDatabase({ dsn, maxConnections: 1 })
  return work(sql).finally(() => sql.end())
}
