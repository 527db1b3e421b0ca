import { formatCount, formatDuration } from '../layout/format.tsx'
import { Table } from '../layout/table.tsx'
import type { BatchLatency } from './batch-latency.ts'

/** How long batches took since the start of this server. */
export function Latencies({ latencies }: { latencies: readonly BatchLatency[] }) {
  return (
    <>
      <p class="intro">
        From the claim of a batch to its acknowledgement, since the start of this server. A batch has up to 900 pushes.
      </p>
      <Table
        caption="Time of batches by provider"
        columns={[
          { title: 'Provider', cell: ({ provider }) => provider },
          { title: 'Batches', isNumber: true, cell: ({ count }) => formatCount(count) },
          { title: 'Half of them', isNumber: true, cell: ({ medianSeconds }) => formatBound(medianSeconds) },
          { title: '95 % of them', isNumber: true, cell: ({ p95Seconds }) => formatBound(p95Seconds) },
        ]}
        rows={latencies}
        empty="This server has sent nothing since its start."
      />
    </>
  )
}

function formatBound(seconds: number): string {
  return seconds === Number.POSITIVE_INFINITY ? 'more than 30 s' : `at most ${formatDuration(seconds * 1000)}`
}
