import { AggregatorRegistry } from 'prom-client'
import type { Metrics } from '../observability/metrics.ts'
import type { MetricsOfProcess } from '../processes/child-metrics.ts'

/** Reads the metrics of the child processes of one kind. */
export type ReadChildMetrics = () => Promise<MetricsOfProcess[]>

/** The metrics of a server: of this process and of its child processes. */
export class AllMetrics {
  readonly #own: Metrics
  readonly #children: ReadChildMetrics[] = []

  constructor(own: Metrics) {
    this.#own = own
  }

  /** Adds the child processes of one kind. */
  add(readChildren: ReadChildMetrics): void {
    this.#children.push(readChildren)
  }

  /** Reads all in the text format of Prometheus. */
  async read(): Promise<string> {
    const { registry } = this.#own
    const children = (await Promise.all(this.#children.map((readChildren) => readChildren()))).flat()
    if (children.length === 0) return await registry.metrics()
    return await AggregatorRegistry.aggregate([await registry.getMetricsAsJSON(), ...children]).metrics()
  }
}
