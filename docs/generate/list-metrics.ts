import * as v from 'valibot'
import { addAnalyticsMetrics } from '../../src/observability/analytics-metrics.ts'
import { makeMetrics } from '../../src/observability/metrics.ts'
import { addQueueGauges } from '../../src/observability/queue-gauges.ts'
import { addCredentialGauge, addOutageGauge, addStoreGauge } from '../../src/observability/state-gauges.ts'

const Metric = v.object({
  name: v.string(),
  type: v.picklist(['counter', 'gauge', 'histogram']),
  help: v.string(),
  labelNames: v.array(v.string()),
})

/** A metric as its declaration has it. */
export type DeclaredMetric = v.InferOutput<typeof Metric>

/** All metrics of centripush, sorted by name, without those that prom-client adds about the process. */
export function listMetrics(): DeclaredMetric[] {
  const { registry } = makeMetrics()
  addQueueGauges(registry, 'postgresql', async () => undefined)
  addOutageGauge(registry, () => [])
  addStoreGauge(registry, () => new Map())
  addCredentialGauge(registry, () => ({ down: [], credentials: {} }))
  addAnalyticsMetrics(registry)
  // prom-client's types do not have the names of the labels.
  const own = registry.getMetricsAsArray().filter(({ name }) => name.startsWith('centri'))
  return v.parse(v.array(Metric), own).sort((a, b) => (a.name < b.name ? -1 : 1))
}
