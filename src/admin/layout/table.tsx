import type { Child } from 'hono/jsx'

/** A column of a table. */
export interface Column<Row> {
  title: string
  /** Numbers are aligned right. */
  isNumber?: boolean
  cell(row: Row): Child
}

interface TableProps<Row> {
  /** The subject of the table, for screen readers. */
  caption: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  /** Shown for a table without rows: the next step. */
  empty: Child
  /** On phones each row of a wide table is a list of titles and values. Set by the number of columns unless given. */
  isWide?: boolean
}

/** A table with more columns is wide. */
const NARROW_COLUMNS = 4

/** A table that scrolls by itself if it is wider than the page. */
export function Table<Row>({ caption, columns, rows, empty, ...given }: TableProps<Row>) {
  if (rows.length === 0) return <p class="empty">{empty}</p>
  const isWide = given.isWide ?? columns.length > NARROW_COLUMNS
  // The style of a wide table on phones hides from screen readers that it is one; the roles say it.
  const role = (name: string) => (isWide ? name : undefined)
  return (
    <section class={isWide ? 'scroll wide' : 'scroll'} tabindex={0} aria-label={caption}>
      <table role={role('table')}>
        <caption class="hidden">{caption}</caption>
        <thead role={role('rowgroup')}>
          <tr role={role('row')}>
            {columns.map(({ title, isNumber }) => (
              <th scope="col" role={role('columnheader')} class={isNumber ? 'number' : undefined}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role={role('rowgroup')}>
          {rows.map((row) => (
            <tr role={role('row')}>
              {columns.map(({ title, cell, isNumber }) => (
                <td role={role('cell')} data-title={role(title)} class={isNumber ? 'number' : undefined}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

/** Names with their values. */
export function Facts({ facts }: { facts: readonly (readonly [name: string, value: Child])[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** Numbers that are read at a glance. `note` says what a number counts. */
export interface Figure {
  name: string
  value: Child
  note?: Child
}

/** The most important numbers of a page. */
export function Figures({ figures }: { figures: readonly Figure[] }) {
  return (
    <dl class="figures">
      {figures.map(({ name, value, note }) => (
        <div>
          <dt>{name}</dt>
          <dd>
            {value}
            {note !== undefined && <small>{note}</small>}
          </dd>
        </div>
      ))}
    </dl>
  )
}

/** The links to the first and the next page of a list. */
export function Pager({ first, next }: { first: string | undefined; next: string | undefined }) {
  if (first === undefined && next === undefined) return null
  return (
    <nav class="pager" aria-label="Pages">
      {first !== undefined && <a href={first}>First page</a>}
      {next !== undefined && (
        <a href={next} rel="next">
          Next page
        </a>
      )}
    </nav>
  )
}
