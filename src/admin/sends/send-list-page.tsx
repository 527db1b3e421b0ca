import { addUp } from '../../methods/report-results.ts'
import { REPORT_STATES, type ReportPage, type SendReport } from '../../queue/report.ts'
import { FilterForm, Input, Select } from '../layout/form.tsx'
import { formatCount, State, Time } from '../layout/format.tsx'
import { Page } from '../layout/page.tsx'
import { type Column, Pager, Table } from '../layout/table.tsx'
import type { Ui } from '../layout/ui.ts'
import { Progress } from './progress.tsx'
import { describeRecipient } from './recipient-text.ts'

/** The filter of the list as the text of form fields. Times are in UTC. */
export interface SendFields {
  state: string
  uid: string
  from: string
  to: string
}

interface ListProps {
  ui: Ui
  fields: SendFields
  page: ReportPage
  isFirst: boolean
}

const STATE_OPTIONS = [['', 'all'], ...REPORT_STATES.map((state) => [state, state] as const)] as const

/** The list of sends, the latest first. Its rows are live. */
export function SendListPage({ ui, fields, page, isFirst }: ListProps) {
  const query = { ...fields }
  return (
    <Page ui={ui} title="Sends" at="/sends" live={isFirst ? ui.link('/sends/events', query) : undefined}>
      <FilterForm action={ui.link('/sends')} reset={ui.link('/sends')}>
        <Input label="Beginning of the uid" name="uid" type="search" value={fields.uid} />
        <Select label="State" name="state" value={fields.state} options={STATE_OPTIONS} />
        <Input label="Accepted from (UTC)" name="from" type="datetime-local" value={fields.from} />
        <Input label="until (UTC)" name="to" type="datetime-local" value={fields.to} />
      </FilterForm>
      <div id="send-rows">
        <SendRows ui={ui} reports={page.reports} />
      </div>
      <Pager
        first={isFirst ? undefined : ui.link('/sends', query)}
        next={page.nextCursor === undefined ? undefined : ui.link('/sends', { ...query, cursor: page.nextCursor })}
      />
    </Page>
  )
}

/** The rows of the list. */
export function SendRows({ ui, reports }: { ui: Pick<Ui, 'link'>; reports: readonly SendReport[] }) {
  const columns: Column<SendReport>[] = [
    { title: 'Accepted', cell: ({ acceptedAtMs }) => <Time ms={acceptedAtMs} /> },
    {
      title: 'Send',
      cell: ({ uid }) => (
        <a href={ui.link('/send', { uid })}>
          <code>{uid}</code>
        </a>
      ),
    },
    { title: 'State', cell: ({ state }) => <State name={state} /> },
    { title: 'Recipient', cell: ({ subject }) => describeRecipient(subject) },
    { title: 'Progress', cell: (report) => <Progress report={report} /> },
    { title: 'Targets', isNumber: true, cell: (report) => formatCount(addUp(report).target) },
    { title: 'Sent', isNumber: true, cell: (report) => formatCount(addUp(report).sent) },
    { title: 'Failed', isNumber: true, cell: (report) => formatCount(addUp(report).failed) },
    { title: 'Opened', isNumber: true, cell: ({ interacted }) => formatCount(interacted) },
  ]
  return (
    <Table
      caption="Sends, the latest accepted first"
      columns={columns}
      rows={reports}
      empty="No send matches. New ones are accepted by the API method send_push_notification or by “New push”."
    />
  )
}
