// Mistakes in the statements of a store, below the queue's contract.
import { chooseQueue } from '../../src/config/check.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { BatchClaim, NewBatch } from '../../src/queue/batch.ts'
import { makePostgresMistakes } from './postgres-mistakes.ts'
import { makeRedisMistakes } from './redis-mistakes.ts'

/** The mistakes that every store has to offer. */
export interface StoreMistakes {
  /** Stores batches of a send without moving its cursor. */
  writeBatches(uid: string, batches: readonly NewBatch[]): Promise<void>
  /** Accepts acknowledgements with an outdated fence. */
  dropFence(): void
  /** Acknowledges batches of a page that the store has not written. */
  acknowledgeTaken(claims: readonly BatchClaim[]): Promise<void>
  /** Has what workers hold of taken pages be taken for what dead ones left. */
  endTakenClaims(): void
  /** Has a page that was taken be in its worker's memory alone until it is opened. */
  keepPagesInMemory(): void
  /** Trims the oldest batches of a long stream. */
  trimStreams(): void
}

/** The mistakes of the store that this process is configured with. */
export function findStoreMistakes(): StoreMistakes {
  const { config } = loadConfig(process.argv[process.argv.indexOf('--config') + 1], {})
  return chooseQueue(config) === 'redis'
    ? makeRedisMistakes(config)
    : makePostgresMistakes(config.database?.postgresql.dsn ?? '')
}
