import type { NewBatch } from '../batch.ts'
import type { QueueKeys } from './keys.ts'
import type { RedisClient } from './script.ts'

/** Where a queue lives: what its scripts run on, and the names of its keys. */
export interface Scope {
  client: RedisClient
  keys: QueueKeys
}

/** The consumer group of all streams. */
export const GROUP = 'workers'

/** How long a uid is kept after its send ended, the same with dead letters, and how long a mark waits for its send. */
export const KEEP_ENDED_SECONDS = 24 * 3600
export const KEEP_DEAD_LETTERS_SECONDS = 7 * 24 * 3600
export const KEEP_MARK_SECONDS = 600

/** The keys that a script which writes batches has at its end. */
export function keysOfNewBatches(keys: QueueKeys, batches: readonly NewBatch[]): string[] {
  const streams = batches.map(({ lane, provider }) => keys.batches(lane, provider))
  return [keys.retries, keys.retryBodies, keys.lastRetry, ...streams]
}
