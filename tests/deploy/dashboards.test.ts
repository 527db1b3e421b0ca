// The files of deploy/grafana: that Grafana can read them, and that each part is there.
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { CLICKHOUSE_DASHBOARD } from '../../docs/generate/dashboards/clickhouse.ts'
import { makeDashboard } from '../../docs/generate/dashboards/dashboard.ts'
import { POSTGRESQL_DASHBOARD } from '../../docs/generate/dashboards/postgresql.ts'
import { PROMETHEUS_DASHBOARD } from '../../docs/generate/dashboards/prometheus.ts'
import { GRAFANA, readDashboards } from './dashboard-files.ts'

const PLANS = [PROMETHEUS_DASHBOARD, CLICKHOUSE_DASHBOARD, POSTGRESQL_DASHBOARD]
const Sources = v.object({
  datasources: v.array(v.looseObject({ name: v.string(), uid: v.string(), type: v.string() })),
})

test('the dashboards are current; "npm run docs:dashboards" writes them', () => {
  const written = readDashboards().map(([name, text]) => [name, text])
  const made = PLANS.map((plan) => [`${plan.uid}.json`, makeDashboard(plan)])
  expect(Object.fromEntries(written)).toEqual(Object.fromEntries(made))
})

test('there is a source of data for each dashboard', () => {
  const directory = resolve(GRAFANA, 'provisioning/datasources')
  const types = readdirSync(directory).flatMap((file) => {
    const { datasources } = v.parse(Sources, parse(readFileSync(resolve(directory, file), 'utf8')))
    return datasources.map(({ type }) => type)
  })
  expect(new Set(types)).toEqual(new Set(PLANS.map(({ source }) => source)))
})

describe.each(readDashboards())('%s', (_, text, { panels, templating }) => {
  const [source] = templating.list.filter(({ type }) => type === 'datasource')

  test('has panels with different ids, in 24 columns and on different places', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)} ${y + Math.floor(index / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
    expect(panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([])
  })

  test('reads from the source of data that its user chooses', () => {
    const chosen = { type: source?.query, uid: `\${${source?.name}}` }
    for (const { type, title, datasource, targets, fieldConfig } of panels) {
      if (type === 'row') continue
      expect(datasource, title).toEqual(chosen)
      expect(targets.length, title).toBeGreaterThan(0)
      for (const target of targets) expect(target.datasource, title).toEqual(chosen)
      expect(fieldConfig?.defaults.unit, title).toMatch(/^\w+$/)
    }
  })

  test('uses the variables that it has, and no others', () => {
    const macros = new Set([
      '__timeFilter',
      '__timeInterval',
      '__timeGroupAlias',
      '__interval',
      '__rate_interval',
      '__all',
    ])
    const used = new Set([...text.matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name))
    for (const macro of macros) used.delete(macro)
    expect(used).toEqual(new Set(templating.list.map(({ name }) => name)))
  })
})
