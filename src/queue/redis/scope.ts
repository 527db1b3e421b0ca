import type { RedisClient } from '../../redis/connect.ts'
import type { NewBatch } from '../batch.ts'
import type { QueueKeys } from './keys.ts'

/** The queue that a script works on. */
export interface Scope {
  client: RedisClient
  keys: QueueKeys
}

/** The consumer group of all streams. */
export const GROUP = 'workers'

/** The last keys of a script that writes batches: those of delayed batches, then the stream of each batch. */
export function keysOfNewBatches(keys: QueueKeys, batches: readonly NewBatch[]): string[] {
  const streams = batches.map(({ lane, provider }) => keys.batches(lane, provider))
  return [keys.retries, keys.retryBodies, keys.lastRetry, ...streams]
}
