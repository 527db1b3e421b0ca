// The files of deploy/grafana, as Grafana reads them.
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import * as v from 'valibot'

export const GRAFANA = resolve(import.meta.dirname, '../../deploy/grafana')

const Source = v.object({ type: v.string(), uid: v.string() })
const Target = v.looseObject({
  refId: v.string(),
  datasource: Source,
  expr: v.optional(v.string()),
  rawSql: v.optional(v.string()),
})
const Panel = v.object({
  id: v.number(),
  type: v.string(),
  title: v.string(),
  gridPos: v.object({ x: v.number(), y: v.number(), w: v.number(), h: v.number() }),
  datasource: v.optional(Source),
  targets: v.optional(v.array(Target), []),
  fieldConfig: v.optional(v.object({ defaults: v.object({ unit: v.string() }) })),
})
const Dashboard = v.object({
  id: v.null(),
  uid: v.string(),
  title: v.string(),
  panels: v.array(Panel),
  templating: v.object({ list: v.array(v.looseObject({ name: v.string(), type: v.string(), query: v.unknown() })) }),
})

/** A dashboard. */
export type DashboardFile = v.InferOutput<typeof Dashboard>

/** All dashboards, by the names of their files. */
export function readDashboards(): [name: string, text: string, dashboard: DashboardFile][] {
  const directory = resolve(GRAFANA, 'dashboards')
  return readdirSync(directory).map((name) => {
    const text = readFileSync(resolve(directory, name), 'utf8')
    return [name, text, v.parse(Dashboard, JSON.parse(text))]
  })
}

/** The queries of a dashboard with the titles of their panels. */
export function listQueries(name: string): { title: string; text: string }[] {
  const found = readDashboards().find(([file]) => file === name)
  return (found?.[2].panels ?? []).flatMap(({ title, targets }) =>
    targets.map(({ expr, rawSql }) => ({ title, text: expr ?? rawSql ?? '' })),
  )
}
