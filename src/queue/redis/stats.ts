import { PROVIDER_NAMES, type ProviderName } from '../../config/provider-names.ts'
import { LANES } from '../lane.ts'
import type { QueueStats } from '../queue.ts'
import { readQueueLook } from './replies.ts'
import { GROUP, type Scope } from './scope.ts'
import { Script } from './script.ts'

const STATS = new Script('stats')
const STREAMS = LANES.flatMap((lane) => PROVIDER_NAMES.map((provider) => ({ lane, provider })))

/** How much is in the queue, in one look. `jobs`: batches, retries and due sends. What is for later is in nobody's way. */
export async function readStats({ client, keys }: Scope): Promise<QueueStats & { jobs: number }> {
  const { retries, scheduled, deadLetters, pauses, dueSends, batches } = keys
  const streamKeys = STREAMS.map(({ lane, provider }) => batches(lane, provider))
  const others = [retries, scheduled, deadLetters, pauses, dueSends('small'), dueSends('broadcast')]
  const { streams, ...look } = readQueueLook(await STATS.run(client, [...others, ...streamKeys], [GROUP]))
  const count = (what: 'waiting' | 'inFlight') => {
    const counts = new Map<ProviderName, number>()
    STREAMS.forEach(({ provider }, index) => {
      counts.set(provider, (counts.get(provider) ?? 0) + (streams[index]?.[what] ?? 0))
    })
    return counts
  }
  return {
    ...look,
    waiting: count('waiting'),
    inFlight: count('inFlight'),
    oldestMs: Math.max(0, ...streams.map(({ oldestMs }) => oldestMs)),
  }
}
