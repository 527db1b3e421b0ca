import { Hono } from 'hono'
import { hideSecrets } from '../../config/hide-secrets.ts'
import { parseConfig } from '../../config/load.ts'
import { listOptions } from '../../config/options.ts'
import { ConfigSchema } from '../../config/schema.ts'
import type { AdminEnvironment } from '../admin-environment.ts'
import { answerPage } from '../layout/answer-page.ts'
import { FilterForm, Input, Select } from '../layout/form.tsx'
import { Page } from '../layout/page.tsx'
import { type Column, Table } from '../layout/table.tsx'
import { readUi } from '../layout/ui.ts'

interface OptionRow {
  path: string
  /** The value in force as JSON; empty if the option is not set. */
  value: string
  description: string
  isDefault: boolean
}

const COLUMNS: readonly Column<OptionRow>[] = [
  {
    title: 'Option',
    cell: ({ path, description }) => (
      <>
        <code class="breaks">{path}</code>
        <span class="prose faint">{description.replaceAll('`', '')}</span>
      </>
    ),
  },
  {
    title: 'In force',
    cell: ({ value, isDefault }) => (
      <>
        {value === '' ? <span class="faint">not set</span> : <code class="breaks">{value}</code>}
        {isDefault && value !== '' && <span class="faint"> default</span>}
      </>
    ),
  },
]

/** The page of the configuration in force. */
export function makeConfigurationRoutes(deps: { base: string; configuration: unknown }): Hono<AdminEnvironment> {
  const all = listRows(deps.configuration)
  const routes = new Hono<AdminEnvironment>()
  routes.get('/configuration', (context) => {
    const ui = readUi(context, deps.base)
    const search = context.req.query('search')?.trim() ?? ''
    const shows = context.req.query('shows') === 'all' ? 'all' : 'changed'
    const rows = all.filter(
      ({ path, isDefault }) => path.includes(search) && (shows === 'all' || search !== '' || !isDefault),
    )
    return answerPage(
      context,
      <Page ui={ui} title="Configuration" at="/configuration">
        <p class="intro">The options in force, from file and environment. Secrets are hidden on the server.</p>
        <FilterForm action={ui.link('/configuration')} reset={ui.link('/configuration')}>
          <Input label="Part of a name" name="search" type="search" value={search} placeholder="postgresql" />
          <Select
            label="Options"
            name="shows"
            value={shows}
            options={[
              ['changed', 'changed ones'],
              ['all', 'all'],
            ]}
          />
        </FilterForm>
        <Table
          caption="Options in force"
          columns={COLUMNS}
          rows={rows}
          empty="No option matches. Choose “all”."
          isWide
        />
      </Page>,
    )
  })
  return routes
}

function listRows(configuration: unknown): OptionRow[] {
  const defaults = hideSecrets(parseConfig({}))
  return listOptions(ConfigSchema).map(({ path, description, kind, defaultValue }) => {
    const value = readPath(configuration, path)
    // A section that is absent by default has no default values in force.
    const isDefault = isSame(value, readPath(defaults, path)) || isSame(value, defaultValue)
    return { path: path.join('.'), value: formatValue(value, kind), description, isDefault }
  })
}

function isSame(value: unknown, other: unknown): boolean {
  return JSON.stringify(value) === JSON.stringify(other)
}

function formatValue(value: unknown, kind: string): string {
  if (value === undefined) return ''
  return typeof value === 'number' && kind.startsWith('duration') ? formatMs(value) : JSON.stringify(value)
}

/** A duration as it is written in a file. */
function formatMs(ms: number): string {
  if (ms === 0) return '"0"'
  const units = [
    [3_600_000, 'h'],
    [60_000, 'm'],
    [1000, 's'],
  ] as const
  const [size, unit] = units.find(([unitMs]) => ms % unitMs === 0) ?? [1, 'ms']
  return `"${ms / size}${unit}"`
}

function readPath(tree: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((branch, key) => {
    const isTree = typeof branch === 'object' && branch !== null
    return isTree && Object.hasOwn(branch, key) ? new Map(Object.entries(branch)).get(key) : undefined
  }, tree)
}
