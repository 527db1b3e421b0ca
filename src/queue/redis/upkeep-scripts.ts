// The scripts that keep the streams small. Every process runs them once a minute.
import { PROVIDER_NAMES } from '../../config/provider-names.ts'
import { Script } from '../../redis/script.ts'
import { LANES, type Lane } from '../queue.ts'
import { acknowledgeBatch, type Consumer } from './batch-scripts.ts'
import { CONSUMER_SILENT_MS, KEEP_DEAD_LETTERS_SECONDS, MAX_GIVEN_UP_AT_ONCE, UNCLAIMED_TOO_LONG_MS } from './limits.ts'
import { readAbandoned } from './replies.ts'
import { GROUP, type Scope } from './scope.ts'

const CLEAN_UP = new Script(new URL('lua/clean-up.lua', import.meta.url))
const CLAIM_ABANDONED = new Script(new URL('lua/claim-abandoned.lua', import.meta.url))

/** Deletes old dead letters, and the consumers of workers that have stopped. */
export async function cleanUp({ client, keys }: Scope): Promise<void> {
  const streams = LANES.flatMap((lane) => PROVIDER_NAMES.map((provider) => keys.batches(lane, provider)))
  await CLEAN_UP.run(client, [keys.deadLetters, ...streams], [GROUP, KEEP_DEAD_LETTERS_SECONDS, CONSUMER_SILENT_MS])
}

/** Turns batches that no worker claims into dead letters. @param tooLongMs the time without a claim */
export async function giveUpUnclaimedBatches(queue: Consumer, tooLongMs = UNCLAIMED_TOO_LONG_MS): Promise<void> {
  for (const lane of LANES) {
    for (const provider of PROVIDER_NAMES) await giveUpUnclaimedOf(queue, { lane, provider, tooLongMs })
  }
}

async function giveUpUnclaimedOf(
  queue: Consumer,
  { lane, provider, tooLongMs }: { lane: Lane; provider: (typeof PROVIDER_NAMES)[number]; tooLongMs: number },
): Promise<void> {
  const { client, keys, consumer } = queue
  const stream = keys.batches(lane, provider)
  const reply = await CLAIM_ABANDONED.run(client, [stream], [GROUP, consumer, tooLongMs, MAX_GIVEN_UP_AT_ONCE])
  for (const { lines, count, ...claim } of readAbandoned(reply)) {
    const givenUp = [{ lines, count, reason: 'no worker took it for two days' }]
    await acknowledgeBatch(queue, { ...claim, lane, provider }, { retries: [], givenUp })
  }
}
