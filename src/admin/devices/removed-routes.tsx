import { Hono } from 'hono'
import { isProviderName, PROVIDER_NAMES } from '../../config/provider-names.ts'
import { parseId } from '../../devices/field-checks.ts'
import type { RemovedDevice } from '../../devices/removal/list-removed.ts'
import type { RestoreQuery, RestoreResult } from '../../devices/removal/restore-devices.ts'
import { ApiError } from '../../protocol/errors.ts'
import type { AdminEnvironment } from '../admin-environment.ts'
import { need, type PageDeps } from '../admin-sources.ts'
import { answerPage } from '../layout/answer-page.ts'
import { ActionForm, FilterForm, Input, Select } from '../layout/form.tsx'
import { countOf, OrDash, Time } from '../layout/format.tsx'
import { Page } from '../layout/page.tsx'
import { type Column, Table } from '../layout/table.tsx'
import { makeLink, readUi, type Ui } from '../layout/ui.ts'
import { type Form, readForm } from '../read-form.ts'

const HOUR_MS = 3_600_000
/** The lengths of time that a restoration can go back, in hours: removed devices are kept for a week. */
const HOURS = [1, 6, 24, 72, 168]

/** A restoration with the numbers of its devices. */
interface Plan {
  query: RestoreQuery
  hours: number
  count: RestoreResult
}

/** The page of devices that were removed automatically. */
export function makeRemovedRoutes({ base, sources, actions }: PageDeps): Hono<AdminEnvironment> {
  const routes = new Hono<AdminEnvironment>()

  routes.get('/removed-devices', async (context) => {
    const ui = readUi(context, base)
    const devices = need(sources.devices)
    const user = context.req.query('user')?.trim() ?? ''
    const [removed, plan] = await Promise.all([
      devices.listRemoved({ id: '', user }),
      makePlan((name) => context.req.query(name)),
    ])
    const counted = plan && { ...plan, count: await devices.countRestorable(plan.query) }
    return answerPage(context, <RemovedPage ui={ui} user={user} removed={removed} plan={counted} />)
  })

  routes.post('/removed-devices/restore', async (context) => {
    const form = await readForm(context)
    const query = readRestore(form)
    const { provider, uuid, reason } = query
    const action = {
      action: 'restore devices',
      target: uuid === undefined ? provider : form.text('id'),
      detail: `since ${query.since.toISOString()}${reason === undefined ? '' : `, reason ${reason}`}`,
    }
    const { restored } = await actions.run(
      context.get('actor'),
      action,
      () => need(sources.devices).restore(query),
      (result) => `${result.restored} restored, ${result.skipped} skipped`,
    )
    return context.redirect(makeLink(base, '/removed-devices', { notice: 'restored', count: restored }), 303)
  })

  return routes
}

/** Reads the selection of the page; undefined if none was made. */
function makePlan(read: (name: string) => string | undefined): Omit<Plan, 'count'> | undefined {
  const provider = read('provider') ?? ''
  if (!isProviderName(provider)) return undefined
  const hours = HOURS.find((known) => known === Number(read('hours'))) ?? 24
  const reason = read('reason')?.trim() || undefined
  return { hours, query: { provider, since: new Date(Date.now() - hours * HOUR_MS), reason } }
}

function readRestore(form: Form): RestoreQuery {
  const provider = form.text('provider')
  const since = new Date(form.text('since'))
  if (!isProviderName(provider) || Number.isNaN(since.getTime())) {
    throw new ApiError('badRequest', 'provider, since: are needed')
  }
  const id = form.text('id')
  const reason = form.text('reason') || undefined
  return { provider, since, reason, ...(id !== '' && { uuid: parseId('id', id).uuid }) }
}

interface RemovedProps {
  ui: Ui
  user: string
  removed: readonly RemovedDevice[]
  plan: Plan | undefined
}

function RemovedPage({ ui, user, removed, plan }: RemovedProps) {
  const columns: Column<RemovedDevice>[] = [
    { title: 'Removed', cell: ({ removedAtMs }) => <Time ms={removedAtMs} /> },
    { title: 'Device', cell: ({ id }) => <code>{id}</code> },
    { title: 'User', cell: (device) => <OrDash>{device.user}</OrDash> },
    { title: 'Reason', cell: ({ reason }) => reason },
    { title: 'Platform', cell: ({ platform }) => platform },
    {
      title: 'Action',
      cell: ({ id, provider, removedAtMs }) => (
        <ActionForm
          ui={ui}
          path="/removed-devices/restore"
          title="Restore…"
          button="Restore this device"
          values={{ id, provider, since: new Date(removedAtMs).toISOString() }}
        />
      ),
    },
  ]
  return (
    <Page ui={ui} title="Removed devices" at="/devices">
      <p class="intro">
        Devices whose provider called their token dead, or that were inactive for too long, are kept for a week. If many
        were removed by mistake, restore them here.
      </p>
      <FilterForm action={ui.link('/removed-devices')} reset={ui.link('/removed-devices')}>
        <Input label="User" name="user" type="search" value={user} />
      </FilterForm>
      <Table
        caption="Removed devices, the latest first"
        columns={columns}
        rows={removed}
        empty="No device was removed."
      />
      <h2>Restore many</h2>
      <form method="get" action={ui.link('/removed-devices')} class="filter">
        <Select
          label="Provider"
          name="provider"
          value={plan?.query.provider ?? ''}
          options={PROVIDER_NAMES.map((name) => [name, name] as const)}
        />
        <Select
          label="Removed in the last"
          name="hours"
          value={String(plan?.hours ?? 24)}
          options={HOURS.map((hours) => [String(hours), hours < 48 ? `${hours} h` : `${hours / 24} days`] as const)}
        />
        <Input label="Reason (empty for all)" name="reason" value={plan?.query.reason} />
        <p class="buttons">
          <button type="submit">Count</button>
        </p>
      </form>
      {plan && (
        <div class="actions">
          <p>
            {`To restore: ${countOf(plan.count.restored, 'device')}. `}
            {`To skip, because their id or token is registered again: ${countOf(plan.count.skipped, 'device')}.`}
          </p>
          {plan.count.restored > 0 && (
            <ActionForm
              ui={ui}
              path="/removed-devices/restore"
              title="Restore them…"
              button={`Restore ${countOf(plan.count.restored, 'device')}`}
              values={{
                provider: plan.query.provider,
                since: plan.query.since.toISOString(),
                reason: plan.query.reason,
              }}
            />
          )}
        </div>
      )}
    </Page>
  )
}
