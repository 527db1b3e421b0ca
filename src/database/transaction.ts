import { setTimeout as delay } from 'node:timers/promises'
import type { CallDeadline } from './call-deadline.ts'
import { readDatabaseError } from './database-error.ts'
import { endsConnection } from './lost-connections.ts'
import type { Sql, Transaction } from './pool.ts'

const ATTEMPTS = 5
/**
 * The longest pause before a transaction is repeated, in ms. Pauses are random, so that two transactions do not collide
 * again.
 */
const MAX_PAUSE_MS = 20
const DEADLOCK_DETECTED = '40P01'
const SERIALIZATION_FAILURE = '40001'

/**
 * Runs `work` in a transaction, and repeats it if PostgreSQL has ended the transaction because of a deadlock. So `work`
 * must have no effects besides its statements. It must not wait long for anything else: a statement that follows the
 * loss of the connection is not part of the transaction. Rejects with the error of `work`.
 * @param deadline after it the transaction is not committed; without it there is no limit
 */
export async function runTransaction<T>(
  sql: Sql,
  work: (tx: Transaction) => Promise<T>,
  deadline?: CallDeadline,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await runOnce(sql, work, deadline)
    } catch (error) {
      const code = readDatabaseError(error)?.code
      const isVictim = code === DEADLOCK_DETECTED || code === SERIALIZATION_FAILURE
      if (!isVictim || attempt === ATTEMPTS) throw error
      await delay(Math.random() * MAX_PAUSE_MS)
    }
  }
}

/**
 * Runs the transaction once. The driver sends COMMIT or ROLLBACK even after the transaction's connection was lost. By
 * then the connection may belong to another transaction, or it does not exist and the exception ends the process. So
 * after a lost connection the callback never settles, and the driver rejects the transaction itself.
 */
async function runOnce<T>(
  sql: Sql,
  work: (tx: Transaction) => Promise<T>,
  deadline: CallDeadline | undefined,
): Promise<T> {
  const deadlineMs = await deadline?.toDatabaseTime()
  let isLost = false
  const transaction = sql.begin(async (tx) => {
    try {
      deadline?.check()
      const value = await work(tx)
      // In an object, because the driver would await the elements of an array, and the check.
      if (!isLost) return { value, checked: deadlineMs === undefined ? undefined : checkBeforeCommit(tx, deadlineMs) }
    } catch (error) {
      if (!isLost && !endsConnection(error)) throw error
    }
    return new Promise<never>(() => undefined)
  })
  transaction.catch(() => {
    isLost = true
  })
  const { value, checked } = await transaction
  await checked
  return value
}

/**
 * Begins the last statement of a transaction, which the library sends together with COMMIT. If the deadline has passed
 * when they arrive, it fails, and COMMIT ends the failed transaction without its effects. It has no parameters, because
 * the library would wait for their types between the two.
 */
function checkBeforeCommit(tx: Transaction, deadlineMs: number): Promise<unknown> {
  const checked = tx.unsafe(`select refuse_after(${deadlineMs})`)
  // The caller awaits it after the commit. A rejection until then is not unhandled.
  checked.catch(() => undefined)
  return checked
}
