// The size of a pooler's pool. With session pooling, each connection of centripush keeps one of the pooler's. A pooler
// without a free one does not refuse: the connection waits for two minutes (query_wait_timeout of pgbouncer).
import { answerWithin } from './answer-deadline.ts'
import { DatabaseError } from './database-error.ts'
import { openDatabase, type Sql } from './pool.ts'

/** The `code` of the DatabaseError for a pooler that gives too few connections. */
export const SMALL_POOL = 'SMALL_POOL'
/** Far more than opening a connection takes. */
const OPEN_TIMEOUT_MS = 5000
/** The connections beside those of the pools: for `LISTEN`, and for the check of `/health`. */
const OTHERS = 2

/**
 * Opens all connections that this process may use at once. They stay open in their pools.
 * @param dsn that of the pools
 * @throws DatabaseError if the pooler does not give as many
 */
export async function refuseSmallPool(dsn: string, pools: readonly Sql[]): Promise<void> {
  const others = openDatabase({ dsn, maxConnections: OTHERS, applicationName: 'centripush check' })
  try {
    const needed = [...pools, others].flatMap((sql) => Array<Sql>(sql.options.max).fill(sql))
    const opened = await Promise.allSettled(needed.map(openConnection))
    // Not before all are open, because a released connection would be given again.
    const given = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    for (const connection of given) connection.release()
    if (given.length === needed.length) return
    throw new DatabaseError(`the server gives ${given.length} of ${needed.length} connections`, SMALL_POOL, undefined)
  } finally {
    await others.end({ timeout: 0 })
  }
}

/** Opens a connection that nothing else uses until it is released. @throws DatabaseError for one that is not given */
export async function openConnection(sql: Sql) {
  const opening = sql.reserve()
  try {
    return await answerWithin(opening, OPEN_TIMEOUT_MS)
  } catch (error) {
    // A connection that is given too late goes back.
    void opening.then(
      (connection) => connection.release(),
      () => undefined,
    )
    throw error
  }
}
