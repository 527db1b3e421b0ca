import type { VolumeCount } from '../../analytics/analytics.ts'
import type { Series } from './chart.tsx'
import type { TimeRange } from './time-range.ts'

/** The times at which the steps of a range begin. */
export function listTimes({ fromMs, toMs, stepMs }: TimeRange): number[] {
  return Array.from({ length: Math.round((toMs - fromMs) / stepMs) }, (_, at) => fromMs + at * stepMs)
}

/**
 * Adds up counts by name and step, the largest name first. A name for which `nameOf` returns undefined is left out.
 * @param most the most series; the smallest ones are added up as `others`
 */
export function makeSeries(
  counts: readonly VolumeCount[],
  range: TimeRange,
  nameOf: (count: VolumeCount) => string | undefined,
  most = 8,
): Series[] {
  const steps = listTimes(range).length
  const sums = new Map<string, number[]>()
  for (const count of counts) {
    const name = nameOf(count)
    const at = Math.floor((count.timeMs - range.fromMs) / range.stepMs)
    if (name === undefined || at < 0 || at >= steps) continue
    const row = sums.get(name) ?? Array<number>(steps).fill(0)
    row[at] = (row[at] ?? 0) + count.count
    sums.set(name, row)
  }
  const series = [...sums].map(([name, row]) => ({ name, counts: row })).sort((a, b) => total(b) - total(a))
  if (series.length <= most) return series
  const rest = series.slice(most - 1)
  const others = listTimes(range).map((_, at) => rest.reduce((sum, { counts: row }) => sum + (row[at] ?? 0), 0))
  return [...series.slice(0, most - 1), { name: 'others', counts: others }]
}

/** The sum of all steps. */
export function total({ counts }: Series): number {
  return counts.reduce((sum, count) => sum + count, 0)
}

/** The number of events with a status. */
export function sumStatus(counts: readonly VolumeCount[], status: string): number {
  return counts.reduce((sum, count) => (count.status === status ? sum + count.count : sum), 0)
}
