import type { RedisClient } from '../../redis/connect.ts'
import type { NewBatch } from '../batch.ts'
import type { QueueKeys } from './keys.ts'

/** The queue that a script works on: a connection and the names of the queue's keys. */
export interface Scope {
  client: RedisClient
  keys: QueueKeys
}

/** The name of the consumer group, the same in all streams. */
export const GROUP = 'workers'

/** The KEYS of delayed batches of a script that writes batches. */
export function keysOfDelayed({ retries, retryBodies, lastRetry }: QueueKeys): string[] {
  return [retries, retryBodies, lastRetry]
}

/** The last KEYS of a script that writes batches: the stream of each batch. */
export function keysOfStreams(keys: QueueKeys, batches: readonly NewBatch[]): string[] {
  return batches.map(({ lane, provider }) => keys.batches(lane, provider))
}
