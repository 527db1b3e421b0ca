import { PROVIDER_NAMES, type ProviderName } from '../../config/provider-names.ts'
import type { LaneStats, Pause, QueueStats } from '../queue.ts'

/** The counts of several partitions as those of one queue. */
export function mergeStats(stats: readonly QueueStats[]): QueueStats {
  return {
    waiting: sumByProvider(stats.map(({ waiting }) => waiting)),
    inFlight: sumByProvider(stats.map(({ inFlight }) => inFlight)),
    lanes: {
      small: mergeLane(stats.map(({ lanes }) => lanes.small)),
      broadcast: mergeLane(stats.map(({ lanes }) => lanes.broadcast)),
    },
    delayed: sum(stats, ({ delayed }) => delayed),
    scheduled: sum(stats, ({ scheduled }) => scheduled),
    oldestMs: Math.max(...stats.map(({ oldestMs }) => oldestMs)),
    deadLetters: sum(stats, ({ deadLetters }) => deadLetters),
    pauses: mergePauses(stats.flatMap(({ pauses }) => pauses)),
  }
}

function sum<T>(items: readonly T[], read: (item: T) => number): number {
  return items.reduce((total, item) => total + read(item), 0)
}

function mergeLane(lanes: readonly LaneStats[]): LaneStats {
  return {
    waiting: sum(lanes, ({ waiting }) => waiting),
    inFlight: sum(lanes, ({ inFlight }) => inFlight),
    oldestMs: Math.max(...lanes.map(({ oldestMs }) => oldestMs)),
  }
}

function sumByProvider(all: readonly ReadonlyMap<ProviderName, number>[]): Map<ProviderName, number> {
  const used = PROVIDER_NAMES.filter((provider) => all.some((counts) => counts.has(provider)))
  return new Map(used.map((provider) => [provider, sum(all, (counts) => counts.get(provider) ?? 0)]))
}

/** Each partition has the pause of a provider, and probes of its own: the next one is that of any partition. */
function mergePauses(all: readonly Pause[]): Pause[] {
  return PROVIDER_NAMES.flatMap((provider) => {
    const pauses = all.filter((pause) => pause.provider === provider)
    const probes = pauses.flatMap(({ probeInMs }) => probeInMs ?? [])
    const [first] = pauses
    return first ? [{ ...first, probeInMs: probes.length > 0 ? Math.min(...probes) : undefined }] : []
  })
}
