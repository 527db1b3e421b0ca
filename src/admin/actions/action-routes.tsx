import { Hono } from 'hono'
import type { AdminEnvironment } from '../admin-environment.ts'
import { answerPage } from '../layout/answer-page.ts'
import { OrDash, Time } from '../layout/format.tsx'
import { Page } from '../layout/page.tsx'
import { type Column, Pager, Table } from '../layout/table.tsx'
import { readUi } from '../layout/ui.ts'
import type { ActionLog, StoredAction } from './action-log.ts'

const PAGE_ROWS = 100

const COLUMNS: readonly Column<StoredAction>[] = [
  { title: 'Time', cell: ({ atMs }) => <Time ms={atMs} /> },
  { title: 'Who', cell: ({ role, person }) => <OrDash>{[role, person].filter(Boolean).join(', ')}</OrDash> },
  { title: 'Action', cell: ({ action }) => <span class="nowrap">{action}</span> },
  {
    title: 'Object',
    cell: ({ target, detail }) => (
      <>
        <OrDash>{target || detail}</OrDash>
        {target !== '' && detail !== '' && <span class="prose faint">{detail}</span>}
      </>
    ),
  },
  { title: 'Outcome', cell: ({ outcome }) => <OrDash>{outcome}</OrDash> },
  {
    title: 'From',
    cell: ({ address, requestId }) => (
      <>
        {address}
        <span class="prose faint" title={requestId}>{`request ${requestId.slice(0, 8)}`}</span>
      </>
    ),
  },
]

/** The page of the action log. */
export function makeActionRoutes({ base, actions }: { base: string; actions: ActionLog }): Hono<AdminEnvironment> {
  const routes = new Hono<AdminEnvironment>()
  routes.get('/actions', async (context) => {
    const ui = readUi(context, base)
    const before = context.req.query('before')
    const rows = await actions.list(PAGE_ROWS, before !== undefined && /^\d{1,18}$/.test(before) ? before : undefined)
    const last = rows.length === PAGE_ROWS ? rows.at(-1)?.id : undefined
    return answerPage(
      context,
      <Page ui={ui} title="Action log" at="/actions">
        <p class="intro">Logins and changes by this web UI. Changes by the API and by the command line are not here.</p>
        <Table
          caption="Actions, the newest first"
          columns={COLUMNS}
          rows={rows}
          empty={
            actions.isStored
              ? 'Nothing was done yet.'
              : 'Without a database, actions are only in the log of the server.'
          }
        />
        <Pager
          first={before === undefined ? undefined : ui.link('/actions')}
          next={last === undefined ? undefined : ui.link('/actions', { before: last })}
        />
      </Page>,
    )
  })
  return routes
}
