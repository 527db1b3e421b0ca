import type { Panel } from './dashboard.ts'

/** A panel with lines over time, of one SQL query. */
export function chart(title: string, unit: string, text: string, width = 8): Panel {
  return { title, kind: 'timeseries', unit, queries: [{ text }], width }
}

/** A panel with the rows of one SQL query. */
export function table(title: string, text: string, width: number, description = ''): Panel {
  return { title, kind: 'table', unit: 'short', queries: [{ text }], width, description }
}
