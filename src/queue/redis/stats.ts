import { PROVIDER_NAMES } from '../../config/provider-names.ts'
import { Script } from '../../redis/script.ts'
import { LANES } from '../lane.ts'
import type { QueueStats } from '../queue.ts'
import { sumBatchCounts } from '../sum-batch-counts.ts'
import { readCounts } from './replies.ts'
import { GROUP, type Scope } from './scope.ts'

const STATS = new Script(new URL('lua/stats.lua', import.meta.url))
const STREAMS = LANES.flatMap((lane) => PROVIDER_NAMES.map((provider) => ({ lane, provider })))

/**
 * Counts the work in the queue with one script. `jobs` is the number of batches, retries and due sends, without
 * scheduled sends.
 */
export async function readStats({ client, keys }: Scope): Promise<QueueStats & { jobs: number }> {
  const { retries, scheduled, deadLetters, pauses, dueSends, batches } = keys
  const streamKeys = STREAMS.map(({ lane, provider }) => batches(lane, provider))
  const others = [retries, scheduled, deadLetters, pauses, dueSends('small'), dueSends('broadcast')]
  const { streams, ...counts } = readCounts(await STATS.run(client, [...others, ...streamKeys], [GROUP]))
  const none = { waiting: 0, inFlight: 0, oldestMs: 0 }
  return {
    ...counts,
    ...sumBatchCounts(STREAMS.map((stream, index) => ({ ...none, ...streams[index], ...stream }))),
  }
}
