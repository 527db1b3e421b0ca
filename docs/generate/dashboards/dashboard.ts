// Dashboards of Grafana, from a short description of their panels. Panels are placed from left to right, in rows of 24
// columns. The source of data is a variable, so that an imported and a provisioned dashboard work alike.

/** The kind of a panel: lines over time, the latest values, or a table of the query's rows. */
export type PanelKind = 'timeseries' | 'stat' | 'table'

/** A query of a panel. `legend` names its series, with labels in `{{ }}`. */
export interface Query {
  text: string
  legend?: string
}

/** A panel of a dashboard. */
export interface Panel {
  title: string
  kind: PanelKind
  queries: readonly Query[]
  /** A unit of Grafana: `short`, `percentunit`, `s`, `ops`. */
  unit: string
  /** In columns, of 24. */
  width: number
  /** An explanation, at the symbol beside the title. */
  description?: string
  /** Shows these texts in place of the values. */
  texts?: Readonly<Record<string, string>>
}

/** Panels under a heading. */
export interface Section {
  title: string
  panels: readonly Panel[]
}

/** A variable: a text field, or the values of a query of the source. */
export interface Variable {
  name: string
  label: string
  /** The query for the values. Absent: a text field, empty at first. */
  query?: object
}

/** The description of a dashboard. */
export interface DashboardPlan {
  uid: string
  title: string
  description: string
  /** The id of the plugin of the source of data. */
  source: string
  variables: readonly Variable[]
  sections: readonly Section[]
  /** The part of a target that depends on the source. */
  makeTarget(query: Query, kind: PanelKind): object
}

const COLUMNS = 24
const HEIGHT: Record<PanelKind, number> = { stat: 4, timeseries: 8, table: 9 }
/** The version of the JSON model, that of Grafana 12. Newer ones convert it. */
const SCHEMA_VERSION = 41

/** Makes the JSON of a dashboard. */
export function makeDashboard(plan: DashboardPlan): string {
  const { uid, title, description, source, variables } = plan
  return `${JSON.stringify(
    {
      id: null,
      uid,
      title,
      description,
      tags: ['centripush'],
      schemaVersion: SCHEMA_VERSION,
      version: 1,
      editable: true,
      graphTooltip: 1,
      time: { from: 'now-6h', to: 'now' },
      refresh: '1m',
      timezone: 'browser',
      templating: { list: [makeSourceVariable(source), ...variables.map((each) => makeVariable(each, source))] },
      annotations: { list: [] },
      links: [],
      panels: placePanels(plan),
    },
    undefined,
    2,
  )}\n`
}

function makeSourceVariable(source: string): object {
  return {
    name: 'source',
    label: 'Data source',
    type: 'datasource',
    query: source,
    refresh: 1,
    current: {},
    options: [],
  }
}

function makeVariable({ name, label, query }: Variable, source: string): object {
  if (query === undefined) return { name, label, type: 'textbox', query: '', current: { text: '', value: '' } }
  const all = { text: 'All', value: '$__all' }
  const datasource = { type: source, uid: `\${source}` }
  return { name, label, type: 'query', datasource, query, refresh: 2, multi: true, includeAll: true, current: all }
}

function placePanels({ sections, source, makeTarget }: DashboardPlan): object[] {
  const placed: object[] = []
  let y = 0
  for (const section of sections) {
    placed.push({
      id: placed.length + 1,
      type: 'row',
      title: section.title,
      collapsed: false,
      panels: [],
      ...at(0, y++, 24, 1),
    })
    let x = 0
    let rowHeight = 0
    for (const panel of section.panels) {
      if (x + panel.width > COLUMNS) {
        x = 0
        y += rowHeight
        rowHeight = 0
      }
      const height = HEIGHT[panel.kind]
      placed.push({ id: placed.length + 1, ...makePanel(panel, source, makeTarget), ...at(x, y, panel.width, height) })
      x += panel.width
      rowHeight = Math.max(rowHeight, height)
    }
    y += rowHeight
  }
  return placed
}

function at(x: number, y: number, w: number, h: number): object {
  return { gridPos: { x, y, w, h } }
}

function makePanel(panel: Panel, source: string, makeTarget: DashboardPlan['makeTarget']): object {
  const { title, kind, queries, unit, description = '', texts } = panel
  const datasource = { type: source, uid: `\${source}` }
  const targets = queries.map((query, index) => {
    return { refId: String.fromCharCode(65 + index), datasource, ...makeTarget(query, kind) }
  })
  const options = Object.fromEntries(Object.entries(texts ?? {}).map(([value, text]) => [value, { text }]))
  const mappings = texts ? [{ type: 'value', options }] : []
  return {
    type: kind,
    title,
    description,
    datasource,
    targets,
    fieldConfig: { defaults: { unit, mappings }, overrides: [] },
    options: OPTIONS[kind],
  }
}

const OPTIONS: Record<PanelKind, object> = {
  timeseries: {
    legend: { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] },
    tooltip: { mode: 'multi', sort: 'desc' },
  },
  stat: {
    reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    colorMode: 'value',
    graphMode: 'none',
    textMode: 'auto',
  },
  table: { showHeader: true },
}
