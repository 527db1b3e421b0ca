import { Hono } from 'hono'
import type { RecordedEvent } from '../../analytics/analytics.ts'
import type { Finding } from '../../explain/checks.ts'
import { type Explanation, explainPush } from '../../explain/explain-push.ts'
import { REASONS } from '../../explain/reasons.ts'
import { listPushEvents } from '../../methods/push-events.ts'
import type { AdminEnvironment } from '../admin-environment.ts'
import { need, type PageDeps } from '../admin-sources.ts'
import { answerPage } from '../layout/answer-page.ts'
import { FilterForm, Input } from '../layout/form.tsx'
import { Time } from '../layout/format.tsx'
import { Page } from '../layout/page.tsx'
import { Table } from '../layout/table.tsx'
import { readUi, type Ui } from '../layout/ui.ts'
import { eventColumns } from '../sends/event-columns.tsx'
import { CHECK_TEXTS } from './check-texts.ts'

const MAX_EVENTS = 100
/** The group is kept among the parts of a split text. */
const ISO_TIME = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/

/** The page that answers why a push did not arrive. */
export function makeExplainRoutes({ base, sources }: PageDeps): Hono<AdminEnvironment> {
  const routes = new Hono<AdminEnvironment>()
  routes.get('/explain', async (context) => {
    const text = (name: string) => context.req.query(name)?.trim() ?? ''
    const query = { uid: text('uid'), user: text('user'), deviceId: text('device') }
    const isAsked = query.uid !== '' && (query.user !== '' || query.deviceId !== '')
    const explanations = isAsked ? await explainPush(need(sources.explain), query) : []
    const [single] = explanations.length === 1 ? explanations : []
    const events = single && (await readTimeline(need(sources.events), query.uid, single))
    const props = { ui: readUi(context, base), query, isAsked, explanations, events }
    return answerPage(context, <ExplainPage {...props} />)
  })

  /** The events of the device with this send. */
  const readTimeline = async (
    reader: Parameters<typeof listPushEvents>[0],
    uid: string,
    { deviceId, user }: Explanation,
  ) => {
    const report = await sources.queue.loadReport(uid)
    const page = await listPushEvents(reader, {
      uid: report?.analyticsUid ?? uid,
      device_id: deviceId,
      user: deviceId === '' ? user : '',
      include_attempts: true,
      cursor: '',
      limit: MAX_EVENTS,
    })
    return page.events
  }
  return routes
}

interface ExplainProps {
  ui: Ui
  query: { uid: string; user: string; deviceId: string }
  isAsked: boolean
  explanations: readonly Explanation[]
  events: readonly RecordedEvent[] | undefined
}

function ExplainPage({ ui, query, isAsked, explanations, events }: ExplainProps) {
  return (
    <Page ui={ui} title="Why did it not arrive?" at="/explain">
      <FilterForm action={ui.link('/explain')} reset={ui.link('/explain')}>
        <Input label="Uid of the send" name="uid" type="search" value={query.uid} isRequired />
        <Input label="User" name="user" type="search" value={query.user} />
        <Input label="or device id" name="device" type="search" value={query.deviceId} />
      </FilterForm>
      {!isAsked && (
        <p class="empty">
          Give a send, and a user or a device. The uid is in the answer of send_push_notification and on the page of the
          send. The explanation comes from the report of the send, the queue, the registered devices and the recorded
          events.
        </p>
      )}
      {explanations.map((explanation) => (
        <Answer ui={ui} explanation={explanation} isOnly={explanations.length === 1} />
      ))}
      {events && (
        <>
          <h2>Timeline of the device with this send</h2>
          <Table
            caption="Events, the newest first"
            columns={eventColumns(ui, ['Send'])}
            rows={events}
            empty="Nothing is recorded about this device and this send."
          />
        </>
      )}
    </Page>
  )
}

function Answer({ ui, explanation, isOnly }: { ui: Ui; explanation: Explanation; isOnly: boolean }) {
  const { deviceId, user, platform, provider, reason, detail, checks } = explanation
  const place = checks.findIndex(({ finding }) => finding.kind === 'reason')
  return (
    <article class="answer">
      <h2>{REASONS[reason]}</h2>
      {detail !== '' && (
        <p>
          <Detail text={detail} />
        </p>
      )}
      <p class="faint">
        {deviceId === '' ? (
          `user ${user}`
        ) : (
          <>
            <a href={ui.link(`/devices/${deviceId}`)}>
              <code>{deviceId}</code>
            </a>
            {` ${[platform, provider, user === '' ? '' : `user ${user}`].filter(Boolean).join(', ')}`}
          </>
        )}
      </p>
      <details open={isOnly}>
        <summary>All checks in their order</summary>
        <ol class="checks">
          {checks.map(({ name, finding }, index) => (
            <li class={index === place ? 'decisive' : ''}>
              {CHECK_TEXTS[name]} <strong>{describeFinding(finding, index > place)}</strong>
              {index <= place && finding.detail !== undefined && finding.detail !== '' && (
                <span class="faint">
                  {' '}
                  <Detail text={finding.detail} />
                </span>
              )}
            </li>
          ))}
        </ol>
      </details>
    </article>
  )
}

/** The text of a check, whose times are shown in the zone of the reader. */
function Detail({ text }: { text: string }) {
  return <>{text.split(ISO_TIME).map((part, index) => (index % 2 === 0 ? part : <Time ms={Date.parse(part)} />))}</>
}

/** After the check that explains the push, the results of the others do not matter. */
function describeFinding(finding: Finding, isAfter: boolean): string {
  if (isAfter) return '–'
  if (finding.kind === 'unknown') return 'not known'
  return finding.kind === 'reason' ? finding.reason.replaceAll('_', ' ') : 'yes'
}
