import { type DeclaredMetric, listMetrics } from './list-metrics.ts'

const HEAD = `# Metrics

<!-- Generated from src/observability by "npm run docs:metrics". -->

\`/metrics\` has the metrics of a server and of all its worker processes, in the text format of Prometheus
(\`prometheus.enabled\`, \`prometheus.handler_prefix\`). [deploy/prometheus](../deploy/prometheus) has a configuration
and alerts, [deploy/grafana](../deploy/grafana) has dashboards, and [operations](operations.md) explains each alert.

- Names that begin with \`centrifugo_\` are those of Centrifugo PRO, with its types and labels. PRO's deprecated
  summaries are left out, as PRO itself does with \`prometheus.native_histograms\`; their \`_histogram\` twins are here.
- Counters and histograms are sums over the processes of a server, ended ones included. Gauges of the queue and of the
  stores are read from there, so all servers of one queue report the same values: use \`max\`, not \`sum\`.
- \`recipient_type\` is \`token\`, \`topic\` or \`condition\`; devices of a filter are \`token\`. \`platform\` is empty
  for raw tokens, topics and conditions.
- The metrics of analytics also count the rows of PostgreSQL when there is no ClickHouse.
- \`process_*\` and \`nodejs_*\` are those of [prom-client](https://github.com/siimon/prom-client#default-metrics).

| metric | type | labels | meaning |
| --- | --- | --- | --- |
`

/** The text of docs/metrics.md: a row for each metric. */
export function makeMetricsPage(): string {
  return HEAD + listMetrics().map(describe).join('')
}

function describe({ name, type, labelNames, help }: DeclaredMetric): string {
  const labels = labelNames.map((label) => `\`${label}\``).join(', ')
  return `| \`${name}\` | ${type} | ${labels} | ${help} |\n`
}
