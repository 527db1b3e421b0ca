import type { SendReport } from '../../queue/report.ts'

/** How long sends took from the time at which they were due. */
export interface SendLatency {
  /** `first` and `last` result, each of half of the sends and of 95 % of them. */
  result: 'first' | 'last'
  medianMs: number
  p95Ms: number
}

/**
 * The latencies of ended sends; empty without any.
 * @param provider only sends with targets of this provider count; empty for all
 */
export function readSendLatencies(
  reports: readonly SendReport[],
  provider: string,
): { count: number; latencies: SendLatency[] } {
  const ended = reports.filter(
    ({ state, counts }) =>
      state === 'ended' && (provider === '' || counts.some((count) => count.provider === provider)),
  )
  const after = (read: (report: SendReport) => number | undefined) =>
    ended.flatMap((report) => {
      const atMs = read(report)
      return atMs === undefined ? [] : [Math.max(0, atMs - Math.max(report.acceptedAtMs, report.sendAtMs ?? 0))]
    })
  const firsts = after(({ firstAtMs }) => firstAtMs)
  const lasts = after(({ lastAtMs }) => lastAtMs)
  if (firsts.length === 0) return { count: 0, latencies: [] }
  return { count: firsts.length, latencies: [summarize('first', firsts), summarize('last', lasts)] }
}

function summarize(result: SendLatency['result'], durationsMs: readonly number[]): SendLatency {
  const sorted = [...durationsMs].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  return { result, medianMs: at(0.5), p95Ms: at(0.95) }
}
