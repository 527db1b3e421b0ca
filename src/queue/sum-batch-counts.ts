import type { ProviderName } from '../config/provider-names.ts'
import type { Lane } from './lane.ts'
import type { LaneStats, QueueStats } from './queue.ts'

/** The batches of one provider in one lane. */
export interface BatchCount extends LaneStats {
  lane: Lane
  provider: ProviderName
}

/** Sums the counts of a store by provider and by lane. */
export function sumBatchCounts(
  counts: readonly BatchCount[],
): Omit<QueueStats, 'delayed' | 'scheduled' | 'deadLetters' | 'pauses'> {
  const sumByProvider = (column: 'waiting' | 'inFlight') => {
    const sums = new Map<ProviderName, number>()
    for (const count of counts) sums.set(count.provider, (sums.get(count.provider) ?? 0) + count[column])
    return sums
  }
  const lanes = { small: sumLane(counts, 'small'), broadcast: sumLane(counts, 'broadcast') }
  return {
    waiting: sumByProvider('waiting'),
    inFlight: sumByProvider('inFlight'),
    lanes,
    oldestMs: Math.max(lanes.small.oldestMs, lanes.broadcast.oldestMs),
  }
}

function sumLane(counts: readonly BatchCount[], lane: Lane): LaneStats {
  const sum = { waiting: 0, inFlight: 0, oldestMs: 0 }
  for (const count of counts) {
    if (count.lane !== lane) continue
    sum.waiting += count.waiting
    sum.inFlight += count.inFlight
    sum.oldestMs = Math.max(sum.oldestMs, count.oldestMs)
  }
  return sum
}
