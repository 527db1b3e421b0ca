// Runs the Lua scripts that delete old data of the queue. Every process runs them once a minute.
import { PROVIDER_NAMES } from '../../config/provider-names.ts'
import { Script } from '../../redis/script.ts'
import { LANES, type Lane } from '../lane.ts'
import { KEEP_DEAD_LETTERS_SECONDS, UNCLAIMED_REASON, UNCLAIMED_TOO_LONG_SECONDS } from '../limits.ts'
import { countFailedBatch } from '../stored-report.ts'
import { groupAcknowledgements } from './acknowledgements.ts'
import type { Consumer } from './batch-scripts.ts'
import { makeClaimId } from './claim-id.ts'
import { CONSUMER_SILENT_MS, MAX_GIVEN_UP_AT_ONCE } from './limits.ts'
import { readAbandoned } from './replies.ts'
import { GROUP, type Scope } from './scope.ts'

const CLEAN_UP = new Script(new URL('lua/clean-up.lua', import.meta.url))
const CLAIM_ABANDONED = new Script(new URL('lua/claim-abandoned.lua', import.meta.url))

/** Deletes dead letters that are older than a week, and the consumers of stopped workers. */
export async function cleanUp({ client, keys }: Scope): Promise<void> {
  const streams = LANES.flatMap((lane) => PROVIDER_NAMES.map((provider) => keys.batches(lane, provider)))
  await CLEAN_UP.run(client, [keys.deadLetters, ...streams], [GROUP, KEEP_DEAD_LETTERS_SECONDS, CONSUMER_SILENT_MS])
}

/** Turns batches that no worker claims into dead letters. @param tooLongMs how long a batch may wait for a claim */
export async function giveUpUnclaimedBatches(
  queue: Consumer,
  tooLongMs = UNCLAIMED_TOO_LONG_SECONDS * 1000,
): Promise<void> {
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
  const acknowledgements = groupAcknowledgements(queue)
  const ends = readAbandoned(reply).map(({ id, targets, count, isRetry, ...claim }) =>
    acknowledgements.add({
      claim: { ...claim, id: makeClaimId({ lane, provider }, id), lane, provider },
      retries: [],
      givenUp: [{ targets, count, reason: UNCLAIMED_REASON }],
      counts: countFailedBatch({ provider, isRetry, count }, targets.kind, UNCLAIMED_REASON),
    }),
  )
  await Promise.all(ends)
}
