import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

const ROW_DROP_REASONS = ['buffer_full', 'refused', 'damaged', 'shutdown'] as const
/** Why rows were dropped. */
export type RowDropReason = (typeof ROW_DROP_REASONS)[number]

/** The types of recorded rows. `notifications` is that of Centrifugo PRO: events and reports. */
export type RowType = 'notifications' | 'attempts'

/** The metrics of one type of rows. */
export interface RowMetrics {
  drop(reason: RowDropReason, rows: number): void
  /** Records an insert. @param retries how often the batch had been tried before */
  flush(seconds: number, retries: number, isOk: boolean): void
  /** Records the rows of a sealed batch. */
  batch(rows: number): void
}

/** From this number of retries on there is one label value, because each value of a label is a series of its own. */
const MANY_RETRIES = 5

/**
 * Adds the metrics of analytics to a registry, under the names of Centrifugo PRO, which knows only ClickHouse. Its
 * summaries are histograms here, under PRO's names for them.
 * @returns a function that makes the metrics of a type. Its `countRows` returns the rows that the store has not
 *   accepted yet
 */
export function addAnalyticsMetrics(registry: Registry): (type: RowType, countRows: () => number) => RowMetrics {
  const registers = [registry]
  const drops = new Counter({
    name: 'centrifugo_clickhouse_analytics_drop_count',
    help: 'Rows that were dropped.',
    labelNames: ['type'],
    registers,
  })
  const reasons = new Counter({
    name: 'centripush_clickhouse_analytics_drop_count',
    help: 'Rows that were dropped: buffer_full, refused by the store, damaged file, or lost at a shutdown.',
    labelNames: ['type', 'reason'],
    registers,
  })
  const durations = new Histogram({
    name: 'centrifugo_clickhouse_analytics_flush_duration_seconds_histogram',
    help: 'Duration of an insert.',
    labelNames: ['type', 'retries', 'result'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  })
  const sizes = new Histogram({
    name: 'centrifugo_clickhouse_analytics_batch_size_histogram',
    help: 'Rows of a batch.',
    labelNames: ['type'],
    buckets: [1, 10, 100, 1000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000],
    registers,
  })
  const counted = new Map<RowType, () => number>()
  new Gauge({
    name: 'centripush_clickhouse_analytics_buffered_rows',
    help: 'Rows that the store has not accepted yet, in memory and on disk.',
    labelNames: ['type'],
    registers,
    collect() {
      for (const [type, countRows] of counted) this.set({ type }, countRows())
    },
  })
  return (type, countRows) => {
    counted.set(type, countRows)
    // Prometheus sees no increase in the first value of a series.
    drops.inc({ type }, 0)
    for (const reason of ROW_DROP_REASONS) reasons.inc({ type, reason }, 0)
    return {
      drop(reason, rows) {
        drops.inc({ type }, rows)
        reasons.inc({ type, reason }, rows)
      },
      flush(seconds, retries, isOk) {
        const label = retries < MANY_RETRIES ? String(retries) : `${MANY_RETRIES}+`
        durations.observe({ type, retries: label, result: isOk ? 'ok' : 'error' }, seconds)
      },
      batch: (rows) => sizes.observe({ type }, rows),
    }
  }
}
