// The metrics of child processes, which a server adds to its own.
import { AggregatorRegistry } from 'prom-client'
import { withDeadline } from '../timing/deadline.ts'
import { LAST_METRICS } from './messages.ts'

const TIMEOUT_MS = 2000
/** The types of metrics that add up over processes, also over ended ones. */
const SUMS = new Set(['counter', 'histogram'])

/** The metrics of a process, in the form of prom-client's `getMetricsAsJSON`. */
export type MetricsOfProcess = object[]

/** Reads the metrics of child processes, and keeps those of ended ones. */
export class ChildMetrics {
  /** Orders that a child has not answered, by their id. */
  readonly #readers = new Map<number, (metrics: MetricsOfProcess) => void>()
  #lastId = LAST_METRICS
  /** The counters and histograms of ended processes: sums in metrics never decrease. */
  #ended: MetricsOfProcess = []

  /**
   * Resolves to the metrics of all children, ended ones included. A child that does not answer in time is left out.
   * @param orders for each child, a function that orders it to report its metrics under an id
   */
  async readAll(orders: readonly ((id: number) => void)[]): Promise<MetricsOfProcess[]> {
    const answers = await Promise.allSettled(orders.map((order) => this.#read(order)))
    return [this.#ended, ...answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))]
  }

  /** Takes a report of a child. */
  onReport({ id, metrics }: { id: number; metrics: MetricsOfProcess }): void {
    if (id === LAST_METRICS) this.#keepSums(metrics)
    this.#readers.get(id)?.(metrics)
  }

  async #read(order: (id: number) => void): Promise<MetricsOfProcess> {
    const id = ++this.#lastId
    const answer = new Promise<MetricsOfProcess>((resolve) => this.#readers.set(id, resolve))
    order(id)
    return await withDeadline(answer, TIMEOUT_MS).finally(() => this.#readers.delete(id))
  }

  #keepSums(metrics: MetricsOfProcess): void {
    const sums = metrics.filter((metric) => 'type' in metric && SUMS.has(String(metric.type)))
    const merged = AggregatorRegistry.aggregate([this.#ended, sums])
    void merged.getMetricsAsJSON().then((all) => {
      this.#ended = all
    })
  }
}
