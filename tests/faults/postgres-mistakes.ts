import { openDatabase, type Sql } from '../../src/database/pool.ts'
import type { ClaimKey } from '../../src/queue/batch.ts'
import { insertNewBatches } from '../../src/queue/postgres/new-batches.ts'
import { alterQueues } from './alter-queue.ts'
import type { StoreMistakes } from './store-mistakes.ts'

/** The time between two changes of leases: a batch has to be sent meanwhile. */
const LEASE_CHANGE_MS = 2000
/** The time between two changes of abandoned batches. A connection for each claim would slow down all claims. */
const GRACE_CHANGE_MS = 100

/** The mistakes on PostgreSQL. @param dsn the database of the queue */
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
        acknowledge: (own) => async (claim, remainder) => {
          return own.acknowledge({ ...claim, fence: await findFence(dsn, claim) }, remainder)
        },
        confirm: (own) => async (claims, extendAfterMs) => {
          const fences = await Promise.all(claims.map((claim) => findFence(dsn, claim)))
          const unfenced = claims.map((claim, index) => ({ ...claim, fence: fences[index] ?? claim.fence }))
          return own.confirm(unfenced, extendAfterMs)
        },
      }),
    endRangeLeases: () =>
      changeBeforeClaims(dsn, LEASE_CHANGE_MS, (sql) => {
        return sql`update push_batches set claimable_at = clock_timestamp() where claimed and targets is null`
      }),
    omitRestartGrace: () =>
      changeBeforeClaims(dsn, GRACE_CHANGE_MS, (sql) => {
        return sql`update push_batches set claimed = false where claimed and claimable_at <= clock_timestamp()`
      }),
    trimStreams: () => undefined,
  }
}

/** Runs a statement before claims of broadcast batches. If the store is down, the claim reports it. */
function changeBeforeClaims(dsn: string, intervalMs: number, change: (sql: Sql) => PromiseLike<unknown>): void {
  alterQueues({
    claimBatches: (own) => {
      let lastMs = 0
      return async (lane, providers, limit) => {
        if (lane === 'broadcast' && Date.now() - lastMs >= intervalMs) {
          lastMs = Date.now()
          await withConnection(dsn, change).catch(() => undefined)
        }
        return own.claimBatches(lane, providers, limit)
      }
    },
  })
}

/** The present fence of a batch. */
function findFence(dsn: string, { id, fence }: ClaimKey): Promise<number> {
  return withConnection(dsn, async (sql) => {
    const [row] = await sql<{ fence: string }[]>`select fence from push_batches where id = ${id}`
    return Number(row?.fence ?? fence)
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
