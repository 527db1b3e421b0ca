import { PROVIDER_NAMES } from '../../config/provider-names.ts'
import type { DeadLetter, DeadLetterCount, DeadLetterFilter } from '../../queue/dead-letter.ts'
import type { QueueStats } from '../../queue/queue.ts'
import { PROVIDER_OPTIONS } from '../devices/device-filter.ts'
import { ActionForm, FilterForm, Input, Select } from '../layout/form.tsx'
import { countOf, formatCount, Time } from '../layout/format.tsx'
import { Page } from '../layout/page.tsx'
import { type Column, Pager, Table } from '../layout/table.tsx'
import type { Ui } from '../layout/ui.ts'
import { QueueState } from './queue-state.tsx'

interface QueueProps {
  ui: Ui
  stats: QueueStats
  filter: DeadLetterFilter
  letters: readonly DeadLetter[]
  /** Of all dead letters that match the filter. */
  count: DeadLetterCount
  isFirst: boolean
  /** The id after which the next page begins; undefined if there is none. */
  next: string | undefined
}

/** The queue, its pauses and its dead letters. */
export function QueuePage({ ui, stats, filter, letters, count, isFirst, next }: QueueProps) {
  const { uid, provider } = filter
  const paused = new Set(stats.pauses.map((pause) => pause.provider))
  return (
    <Page ui={ui} title="Queue" at="/queue" live={ui.link('/queue/events')}>
      <div id="queue-state">
        <QueueState stats={stats} />
      </div>
      <div class="actions">
        {paused.size < PROVIDER_NAMES.length && (
          <ActionForm ui={ui} path="/queue/pause" title="Pause a provider…" button="Pause">
            <p>Its pushes are still accepted. They wait in the queue until the provider is resumed.</p>
            <Select label="Provider" name="provider" value="" options={choices((name) => !paused.has(name))} />
            <Input label="Reason, for your colleagues" name="reason" isRequired />
          </ActionForm>
        )}
        {[...paused].map((name) => (
          <ActionForm
            ui={ui}
            path="/queue/resume"
            title={`Resume ${name}…`}
            button={`Resume ${name}`}
            values={{ provider: name }}
          />
        ))}
      </div>
      <h2 id="dead-letters">Dead letters</h2>
      <p class="intro">Pushes that were given up after all attempts. They are kept for a week and can be sent again.</p>
      <FilterForm action={ui.link('/queue')} reset={ui.link('/queue')}>
        <Input label="Uid of the send" name="uid" type="search" value={uid} />
        <Select
          label="Provider"
          name="provider"
          id="letters-provider"
          value={provider ?? ''}
          options={PROVIDER_OPTIONS}
        />
      </FilterForm>
      <p>
        <strong>
          {`${countOf(count.letters, 'dead letter')} with ${countOf(count.targets, 'target')} in this selection.`}
        </strong>
      </p>
      {count.letters > 0 && <LetterActions ui={ui} filter={filter} count={count} />}
      <Table
        caption="Dead letters, the oldest first"
        columns={letterColumns(ui)}
        rows={letters}
        empty={
          uid === undefined && provider === undefined
            ? 'No push was given up. If one is, it is listed here with its reason.'
            : 'No dead letter matches. Clear the filter to see all.'
        }
      />
      <Pager
        first={isFirst ? undefined : ui.link('/queue', { uid, provider })}
        next={next === undefined ? undefined : ui.link('/queue', { uid, provider, after: next })}
      />
    </Page>
  )
}

/** The changes of all dead letters that match, not only of those on the page. */
export function LetterActions({ ui, filter, count }: { ui: Ui; filter: DeadLetterFilter; count: DeadLetterCount }) {
  const { uid, provider } = filter
  const values = { uid, provider, all: uid === undefined && provider === undefined ? '1' : undefined }
  const all = countOf(count.targets, 'target')
  return (
    <div class="actions">
      <ActionForm
        ui={ui}
        path="/queue/retry"
        title="Send all that match again…"
        button={`Send ${all} again`}
        values={values}
      >
        <p>{`The number of attempts starts again. This concerns all that match the filter: ${all}.`}</p>
      </ActionForm>
      <ActionForm
        ui={ui}
        path="/queue/drop"
        title="Delete all that match…"
        button={`Delete ${all}`}
        values={values}
        isDangerous
      >
        <p>{`They can’t be sent again afterwards. This concerns all that match the filter: ${all}.`}</p>
      </ActionForm>
    </div>
  )
}

/** The columns of a list of dead letters. */
export function letterColumns(ui: Ui): Column<DeadLetter>[] {
  return [
    { title: 'Given up', cell: ({ givenUpAtMs }) => <Time ms={givenUpAtMs} /> },
    {
      title: 'Send',
      cell: ({ uid }) => (
        <a href={ui.link('/send', { uid })}>
          <code>{uid}</code>
        </a>
      ),
    },
    { title: 'Provider', cell: ({ provider }) => provider },
    { title: 'Targets', isNumber: true, cell: ({ count }) => formatCount(count) },
    { title: 'Attempts', isNumber: true, cell: ({ attempts }) => attempts },
    { title: 'Reason', cell: ({ reason }) => reason },
    {
      title: 'Action',
      cell: ({ id, count }) => (
        <ActionForm
          ui={ui}
          path="/queue/retry"
          title="Again…"
          button={`Send ${formatCount(count)} again`}
          values={{ id }}
        />
      ),
    },
  ]
}

function choices(isChoice: (name: (typeof PROVIDER_NAMES)[number]) => boolean) {
  return PROVIDER_NAMES.filter(isChoice).map((name) => [name, name] as const)
}
