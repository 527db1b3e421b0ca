// Mistakes that the queue's contract has no words for: past it, in the statements of its store.
import { chooseQueue } from '../../src/config/check.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { BatchClaim, NewBatch } from '../../src/queue/batch.ts'
import { makePostgresMistakes } from './postgres-mistakes.ts'
import { makeRedisMistakes } from './redis-mistakes.ts'

export interface StoreMistakes {
  /** Writes batches of a send and leaves its cursor where it is. */
  writeBatches(uid: string, batches: readonly NewBatch[]): Promise<void>
  /** Has whoever acknowledges a batch be taken for the one that holds it. */
  dropFence(): void
  /** Acknowledges batches of a page that the store has not written. */
  acknowledgeTaken(claims: readonly BatchClaim[]): Promise<void>
  /** Has what workers hold of taken pages be taken for what dead ones left. */
  endTakenClaims(): void
  /** Has a page that was taken be in its worker's memory alone until it is opened. */
  keepPagesInMemory(): void
  /** Has a stream lose its oldest batches when it is long. */
  trimStreams(): void
}

/** Of the store that the command line of this process names. */
export function findStoreMistakes(): StoreMistakes {
  const { config } = loadConfig(process.argv[process.argv.indexOf('--config') + 1], {})
  return chooseQueue(config) === 'redis'
    ? makeRedisMistakes(config)
    : makePostgresMistakes(config.database?.postgresql.dsn ?? '')
}
