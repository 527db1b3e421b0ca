import { addUp, listReasons, type TargetCounts } from '../../methods/report-results.ts'
import type { SendReport } from '../../queue/report.ts'
import { formatCount, formatShare, ShareBar, State, Time } from '../layout/format.tsx'
import { Facts, Table } from '../layout/table.tsx'
import { Progress } from './progress.tsx'

/** The outcomes of a report, each with its meaning. */
const OUTCOMES: readonly { name: Exclude<keyof TargetCounts, 'target'>; meaning: string }[] = [
  { name: 'waiting', meaning: 'in the queue' },
  { name: 'retrying', meaning: 'had an attempt and are tried again' },
  { name: 'sent', meaning: 'accepted by the provider' },
  { name: 'failed', meaning: 'refused by the provider, or given up' },
  { name: 'expired', meaning: 'too late' },
  { name: 'cancelled', meaning: 'cancelled' },
  { name: 'dropped', meaning: 'left out by a rule' },
]

/** State, funnel and errors of a send. It is a live part. */
export function SendState({ report }: { report: SendReport }) {
  const sums = addUp(report)
  const providers = [...new Set(report.counts.map(({ provider }) => provider))]
  return (
    <>
      <Facts
        facts={[
          ['State', <State name={report.state} />],
          ['Progress', <Progress report={report} />],
          ['Accepted', <Time ms={report.acceptedAtMs} />],
          ['Due', <Time ms={report.sendAtMs} />],
          ['First result', <Time ms={report.firstAtMs} />],
          ['Last result', <Time ms={report.lastAtMs} />],
          ['Ended', <Time ms={report.endedAtMs} />],
          ['Expires', <Time ms={report.expireAtMs} />],
        ]}
      />
      <h2>From target to reader</h2>
      <p class="intro">A target is a device, a token, a topic or a condition to which the send goes.</p>
      <Table
        caption="Targets that came this far"
        columns={[
          { title: 'Stage', cell: ({ name }) => name },
          { title: 'Number', isNumber: true, cell: ({ count }) => formatCount(count) },
          { title: 'Of all targets', isNumber: true, cell: ({ count }) => formatShare(count, sums.target) },
          {
            title: 'Share',
            cell: ({ count }) => <ShareBar part={count} whole={sums.target} />,
          },
        ]}
        rows={[
          { name: 'Targets', count: sums.target },
          { name: 'Accepted by the provider', count: sums.sent },
          { name: 'Reported as delivered by the app', count: report.delivered },
          { name: 'Reported as opened by the app', count: report.interacted },
        ]}
        empty=""
      />
      <h2>Outcomes</h2>
      <Table
        caption="Targets by outcome and provider"
        columns={[
          { title: 'Outcome', cell: ({ name }) => <State name={name} /> },
          { title: 'Meaning', cell: ({ meaning }) => meaning },
          ...providers.map((provider) => ({
            title: provider,
            isNumber: true,
            cell: ({ name }: (typeof OUTCOMES)[number]) => formatCount(addUp(report, provider)[name]),
          })),
          { title: 'All', isNumber: true, cell: ({ name }) => formatCount(sums[name]) },
        ]}
        rows={OUTCOMES}
        empty=""
      />
      <Reasons title="Why targets failed" rows={listReasons(report, 'failed')} />
      <Reasons title="Why targets were left out" rows={listReasons(report, 'dropped')} />
    </>
  )
}

function Reasons({ title, rows }: { title: string; rows: ReturnType<typeof listReasons> }) {
  if (rows.length === 0) return null
  return (
    <>
      <h2>{title}</h2>
      <Table
        caption={title}
        columns={[
          { title: 'Provider', cell: ({ provider }) => provider },
          { title: 'Reason', cell: ({ reason }) => reason || 'not named' },
          { title: 'Targets', isNumber: true, cell: ({ count }) => formatCount(count) },
        ]}
        rows={rows}
        empty=""
      />
    </>
  )
}
