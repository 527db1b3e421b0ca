// npm run docs:dashboards
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { CLICKHOUSE_DASHBOARD } from './dashboards/clickhouse.ts'
import { makeDashboard } from './dashboards/dashboard.ts'
import { POSTGRESQL_DASHBOARD } from './dashboards/postgresql.ts'
import { PROMETHEUS_DASHBOARD } from './dashboards/prometheus.ts'

const DIRECTORY = resolve(import.meta.dirname, '../../deploy/grafana/dashboards')

for (const plan of [PROMETHEUS_DASHBOARD, CLICKHOUSE_DASHBOARD, POSTGRESQL_DASHBOARD]) {
  writeFileSync(resolve(DIRECTORY, `${plan.uid}.json`), makeDashboard(plan))
}
