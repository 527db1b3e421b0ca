import { setTimeout as delay } from 'node:timers/promises'
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
 * Runs the transaction once. The driver sends COMMIT or ROLLBACK even after the transaction's connection was lost. By
 * then the connection may belong to another transaction, or it does not exist and the exception ends the process. So
 * after a lost connection the callback never settles, and the driver rejects the transaction itself.
 */
async function runOnce<T>(sql: Sql, work: (tx: Transaction) => Promise<T>): Promise<T> {
  let isLost = false
  const transaction = sql.begin(async (tx) => {
    try {
      // The value is returned in an object, because the driver would await the elements of an array.
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
