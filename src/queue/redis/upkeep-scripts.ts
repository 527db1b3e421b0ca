// What keeps the streams small: done once a minute by every process that has the queue open.
import { PROVIDER_NAMES } from '../../config/provider-names.ts'
import { LANES, type Lane } from '../lane.ts'
import { type Consumer, settleBatch } from './batch-scripts.ts'
import { readAbandoned } from './replies.ts'
import { GROUP, KEEP_DEAD_LETTERS_SECONDS, type Scope } from './scope.ts'
import { Script } from './script.ts'

/** Nobody sends to its provider: it was taken out of the configuration, or paused and forgotten. */
const UNCLAIMED_TOO_LONG_MS = 48 * 3600 * 1000
/** At a time, so that no script takes long. */
const BATCH = 100
/** A worker that asked for nothing for so long has gone: one that lives asks twice a second. */
const CONSUMER_SILENT_MS = 3600 * 1000

const CLEAN_UP = new Script('clean-up')
const CLAIM_ABANDONED = new Script('claim-abandoned')

/** Forgets dead letters whose time is over, and workers that have gone. */
export async function cleanUp({ client, keys }: Scope): Promise<void> {
  const streams = LANES.flatMap((lane) => PROVIDER_NAMES.map((provider) => keys.batches(lane, provider)))
  await CLEAN_UP.run(client, [keys.deadLetters, ...streams], [GROUP, KEEP_DEAD_LETTERS_SECONDS, CONSUMER_SILENT_MS])
}

/** Makes dead letters of batches that no worker takes. @param tooLongMs how long nobody took them */
export async function buryAbandonedBatches(queue: Consumer, tooLongMs = UNCLAIMED_TOO_LONG_MS): Promise<void> {
  for (const lane of LANES) {
    for (const provider of PROVIDER_NAMES) await buryAbandonedOf(queue, { lane, provider, tooLongMs })
  }
}

async function buryAbandonedOf(
  queue: Consumer,
  { lane, provider, tooLongMs }: { lane: Lane; provider: (typeof PROVIDER_NAMES)[number]; tooLongMs: number },
): Promise<void> {
  const { client, keys, consumer } = queue
  const stream = keys.batches(lane, provider)
  const reply = await CLAIM_ABANDONED.run(client, [stream], [GROUP, consumer, tooLongMs, BATCH])
  for (const { lines, count, ...claim } of readAbandoned(reply)) {
    const givenUp = [{ lines, count, reason: 'no worker took it for two days' }]
    await settleBatch(queue, { ...claim, lane, provider }, { retries: [], givenUp })
  }
}
