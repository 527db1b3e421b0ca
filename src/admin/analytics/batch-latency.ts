/** How long the batches of a provider took, from their claim to their acknowledgement. */
export interface BatchLatency {
  provider: string
  /** The number of batches. */
  count: number
  /** Half of the batches took at most this long, in seconds; Infinity above the last bucket. */
  medianSeconds: number
  /** 95 % of the batches took at most this long, in seconds; Infinity above the last bucket. */
  p95Seconds: number
}

const BUCKET = /^centrifugo_push_job_duration_seconds_histogram_bucket\{(.*)\} (\S+)$/

/** Reads the latencies from metrics in the text format of Prometheus. The result is the upper bound of a bucket. */
export function readBatchLatencies(metrics: string): BatchLatency[] {
  const buckets = new Map<string, Map<number, number>>()
  for (const line of metrics.split('\n')) {
    const [, labels = '', count = ''] = BUCKET.exec(line) ?? []
    const [provider, le] = ['provider', 'le'].map((name) => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1])
    if (provider === undefined || le === undefined) continue
    const bound = le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le)
    const ofProvider = buckets.get(provider) ?? new Map<number, number>()
    // The kinds of recipients are added up.
    ofProvider.set(bound, (ofProvider.get(bound) ?? 0) + Number(count))
    buckets.set(provider, ofProvider)
  }
  return [...buckets].map(([provider, counts]) => {
    const sorted = [...counts].sort(([a], [b]) => a - b)
    const count = sorted.at(-1)?.[1] ?? 0
    const bound = (share: number) => sorted.find(([, below]) => below >= share * count)?.[0] ?? 0
    return { provider, count, medianSeconds: bound(0.5), p95Seconds: bound(0.95) }
  })
}
