import { setTimeout as delay } from 'node:timers/promises'
import { readDatabaseError } from './database-error.ts'
import { endsConnection } from './lost-connections.ts'
import type { Sql, Transaction } from './pool.ts'

const ATTEMPTS = 5
/** The longest pause before a retry. Pauses are random, so that two transactions do not collide again. */
const MAX_PAUSE_MS = 20
const DEADLOCK_DETECTED = '40P01'
const SERIALIZATION_FAILURE = '40001'

/**
 * Runs `work` in a transaction, and runs it again when PostgreSQL chose it as the victim of a deadlock. So `work` must
 * have no effects besides its statements. Other waits in it must be short, because a statement after the loss of the
 * connection is not part of the transaction. Rejects with the error of `work`.
 */
export async function runTransaction<T>(sql: Sql, work: (tx: Transaction) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await runOnce(sql, work)
    } catch (error) {
      const code = readDatabaseError(error)?.code
      const isVictim = code === DEADLOCK_DETECTED || code === SERIALIZATION_FAILURE
      if (!isVictim || attempt === ATTEMPTS) throw error
      await delay(Math.random() * MAX_PAUSE_MS)
    }
  }
}

/**
 * The library sends COMMIT or ROLLBACK even after the connection of the transaction was lost. By then the connection
 * may belong to another transaction, or it does not exist and the exception ends the process. So for a lost connection
 * the callback never settles, and the library rejects the transaction itself.
 */
async function runOnce<T>(sql: Sql, work: (tx: Transaction) => Promise<T>): Promise<T> {
  let isLost = false
  const transaction = sql.begin(async (tx) => {
    try {
      // In an object, because the library would await the elements of an array.
      const value = await work(tx)
      if (!isLost) return { value }
    } catch (error) {
      if (!isLost && !endsConnection(error)) throw error
    }
    return new Promise<never>(() => undefined)
  })
  transaction.catch(() => {
    isLost = true
  })
  const { value } = await transaction
  return value
}
