import { setTimeout as delay } from 'node:timers/promises'
import { readDatabaseError } from './database-error.ts'
import { endsConnection } from './lost-connections.ts'
import type { Sql, Transaction } from './pool.ts'

const ATTEMPTS = 5
/** The longest pause before a transaction runs again; random, so that two that collided do not collide again. */
const MAX_PAUSE_MS = 20
const DEADLOCK_DETECTED = '40P01'
const SERIALIZATION_FAILURE = '40001'

/**
 * Runs `work` in a transaction, again from its start when PostgreSQL chose it as the victim of a deadlock; so `work`
 * must do nothing that a rollback does not undo. What it awaits besides its statements has to be short: one that comes after
 * the connection was lost is not of this transaction any more. Rejects with what `work` rejected with.
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
 * The library ends a transaction whose connection was lost like every other one: its COMMIT or ROLLBACK goes over whatever that
 * connection is by then, another transaction's perhaps, and over none at all it is an exception that ends the process. So it
 * never hears of such an end, and rejects by itself.
 */
async function runOnce<T>(sql: Sql, work: (tx: Transaction) => Promise<T>): Promise<T> {
  let isLost = false
  const transaction = sql.begin(async (tx) => {
    try {
      // Boxed, because the library would unwrap an array of promises.
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
