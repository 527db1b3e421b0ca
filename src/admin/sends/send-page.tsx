import type { RecordedEvent } from '../../analytics/analytics.ts'
import type { DeadLetter, DeadLetterCount } from '../../queue/dead-letter.ts'
import type { SendReport } from '../../queue/report.ts'
import type { SendContent } from '../../sends/send-content.ts'
import { ActionForm, Input } from '../layout/form.tsx'
import { formatCount } from '../layout/format.tsx'
import { Page } from '../layout/page.tsx'
import { Facts, Table } from '../layout/table.tsx'
import type { Ui } from '../layout/ui.ts'
import { LetterActions, letterColumns } from '../queue/queue-page.tsx'
import { eventColumns } from './event-columns.tsx'
import { maskHeaders, maskNotification } from './mask-content.ts'
import { describeRecipient } from './recipient-text.ts'
import { SendState } from './send-state.tsx'

interface SendProps {
  ui: Ui
  report: SendReport
  /** Undefined if the send has ended: its content is deleted then. */
  content: SendContent | undefined
  letters: readonly DeadLetter[]
  letterCount: DeadLetterCount
  events: readonly RecordedEvent[]
}

/** One send: its progress, its results and its changes. */
export function SendPage({ ui, report, content, letters, letterCount, events }: SendProps) {
  const { uid, analyticsUid, subject, state } = report
  const isOpen = state === 'active' || state === 'scheduled'
  return (
    <Page ui={ui} title="Send" at="/sends" live={isOpen ? ui.link('/send/events', { uid }) : undefined}>
      <Facts
        facts={[
          ['Uid', <code data-copy>{uid}</code>],
          ...(analyticsUid === uid ? [] : [['Uid of its events', <code>{analyticsUid}</code>] as const]),
          ['Recipient', describeRecipient(subject)],
          ['Providers with a notification', subject?.providers.join(', ') ?? 'unknown'],
        ]}
      />
      <div class="actions">
        <a class="button" href={ui.link('/explain', { uid })}>
          Why did it not arrive?
        </a>
        {isOpen && <Cancellation ui={ui} uid={uid} />}
      </div>
      <div id="send-state">
        <SendState report={report} />
      </div>
      {letterCount.letters > 0 && (
        <>
          <h2>Dead letters</h2>
          <p>{`${formatCount(letterCount.targets)} targets were given up after all attempts.`}</p>
          <LetterActions ui={ui} filter={{ uid }} count={letterCount} />
          <Table caption="Dead letters of this send" columns={letterColumns(ui)} rows={letters} empty="" />
        </>
      )}
      <h2>Content</h2>
      {content ? (
        [...content.notifications].map(([provider, { headers, json }]) => (
          <details>
            <summary>{provider}</summary>
            <pre tabindex={0}>{`${maskHeaders(headers)}\n${maskNotification(json)}`.trim()}</pre>
          </details>
        ))
      ) : (
        <p class="empty">The content is kept only while the send is open.</p>
      )}
      <h2>Latest events</h2>
      <Table
        caption="Events of this send, the newest first"
        columns={eventColumns(ui, ['Send'])}
        rows={events}
        empty={
          'No event is recorded yet. Without ClickHouse, a broadcast records only failures ' +
          '(postgresql_analytics.rows).'
        }
      />
    </Page>
  )
}

function Cancellation({ ui, uid }: { ui: Ui; uid: string }) {
  return (
    <>
      <ActionForm
        ui={ui}
        path="/send/cancel"
        title="Cancel…"
        button="Cancel the whole send"
        values={{ uid }}
        isDangerous
      >
        <p>Targets that were not handed to a provider get no push. This can’t be undone.</p>
      </ActionForm>
      <ActionForm
        ui={ui}
        path="/send/cancel"
        title="Cancel for one user…"
        button="Cancel for this user or device"
        values={{ uid, isPart: '1' }}
        isDangerous
      >
        <Input label="User" name="user" />
        <Input label="or device id" name="device" />
      </ActionForm>
    </>
  )
}
