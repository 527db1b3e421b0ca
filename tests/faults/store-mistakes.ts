// Mistakes in the statements of a store, below the queue's contract.
import { chooseQueue } from '../../src/config/check.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { NewBatch } from '../../src/queue/batch.ts'
import { makePostgresMistakes } from './postgres-mistakes.ts'
import { makeRedisMistakes } from './redis-mistakes.ts'

/** The mistakes that every store has to offer. */
export interface StoreMistakes {
  /** Stores batches of a send without moving its cursor. */
  writeBatches(uid: string, batches: readonly NewBatch[]): Promise<void>
  /** Accepts acknowledgements with an outdated fence. */
  dropFence(): void
  /** Ends the leases of claimed range batches before their time. */
  endRangeLeases(): void
  /** Lets abandoned batches be claimed right after the store's start, before surviving workers extend their leases. */
  omitRestartGrace(): void
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
