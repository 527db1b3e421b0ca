import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** Why rows were dropped. */
export type DropReason = 'buffer_full' | 'refused' | 'damaged' | 'shutdown'

/** The metrics of the export to ClickHouse. */
export interface ClickhouseMetrics {
  drop(reason: DropReason, rows: number): void
  /** Records an insert. @param retries how often the batch had been tried before */
  flush(seconds: number, retries: number, isOk: boolean): void
  /** Records the rows of a sealed batch. */
  batch(rows: number): void
}

/** The type of the exported rows, as in Centrifugo PRO, which exports others too. */
const TYPE = 'notifications'
/** From this number of retries on there is one label value, because each value of a label is a series of its own. */
const MANY_RETRIES = 5

/**
 * Adds the metrics of the export to a registry. Summaries of Centrifugo PRO are histograms here, under PRO's names for
 * them.
 * @param countRows returns the rows that ClickHouse has not accepted yet
 */
export function addClickhouseMetrics(registry: Registry, countRows: () => number): ClickhouseMetrics {
  const registers = [registry]
  const drops = new Counter({
    name: 'centrifugo_clickhouse_analytics_drop_count',
    help: 'Rows that were dropped.',
    labelNames: ['type'],
    registers,
  })
  const reasons = new Counter({
    name: 'centripush_clickhouse_analytics_drop_count',
    help: 'Rows that were dropped: buffer_full, refused by ClickHouse, damaged file, or lost at a shutdown.',
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
  new Gauge({
    name: 'centripush_clickhouse_analytics_buffered_rows',
    help: 'Rows that ClickHouse has not accepted yet, in memory and on disk.',
    labelNames: ['type'],
    registers,
    collect() {
      this.set({ type: TYPE }, countRows())
    },
  })
  return {
    drop(reason, rows) {
      drops.inc({ type: TYPE }, rows)
      reasons.inc({ type: TYPE, reason }, rows)
    },
    flush(seconds, retries, isOk) {
      const label = retries < MANY_RETRIES ? String(retries) : `${MANY_RETRIES}+`
      durations.observe({ type: TYPE, retries: label, result: isOk ? 'ok' : 'error' }, seconds)
    },
    batch: (rows) => sizes.observe({ type: TYPE }, rows),
  }
}
