import { formatCount, formatDuration } from '../layout/format.tsx'
import { Table } from '../layout/table.tsx'
import type { BatchLatency } from './batch-latency.ts'
import type { readSendLatencies } from './send-latency.ts'

interface LatencyProps {
  sends: ReturnType<typeof readSendLatencies>
  batches: readonly BatchLatency[]
}

const RESULT_TEXTS = { first: 'until the first result', last: 'until the last result' } as const

/** How long the sends of the chosen time took, and batches since the start of this server. */
export function Latencies({ sends: { count, latencies }, batches }: LatencyProps) {
  return (
    <>
      <p class="intro">
        {`From the time at which a send is due to its results. Of the latest ended sends: ${formatCount(count)}.`}
      </p>
      <Table
        caption="Time of sends"
        columns={[
          { title: 'Time', cell: ({ result }) => RESULT_TEXTS[result] },
          { title: 'Half of them', isNumber: true, cell: ({ medianMs }) => `at most ${formatDuration(medianMs)}` },
          { title: '95 % of them', isNumber: true, cell: ({ p95Ms }) => `at most ${formatDuration(p95Ms)}` },
        ]}
        rows={latencies}
        empty="No send of this time has ended."
      />
      <p class="intro">
        From the claim of a batch to its acknowledgement, since the start of this server. A batch has up to 900 pushes.
      </p>
      <Table
        caption="Time of batches by provider"
        columns={[
          { title: 'Provider', cell: ({ provider }) => provider },
          { title: 'Batches', isNumber: true, cell: (latency) => formatCount(latency.count) },
          { title: 'Half of them', isNumber: true, cell: ({ medianSeconds }) => formatBound(medianSeconds) },
          { title: '95 % of them', isNumber: true, cell: ({ p95Seconds }) => formatBound(p95Seconds) },
        ]}
        rows={batches}
        empty="This server has sent nothing since its start."
      />
    </>
  )
}

function formatBound(seconds: number): string {
  return seconds === Number.POSITIVE_INFINITY ? 'more than 30 s' : `at most ${formatDuration(seconds * 1000)}`
}
