import type { VolumeCount } from '../../analytics/analytics.ts'
import { formatCount, formatShare, ShareBar } from '../layout/format.tsx'
import { Table } from '../layout/table.tsx'
import { sumStatus } from './volume-series.ts'

const ENDED = ['sent', 'failed', 'expired', 'cancelled', 'dropped']

/** How many pushes came how far. */
export function Funnel({ counts }: { counts: readonly VolumeCount[] }) {
  const all = ENDED.reduce((sum, status) => sum + sumStatus(counts, status), 0)
  const stages = [
    ['Pushes', all],
    ['Accepted by the provider', sumStatus(counts, 'sent')],
    ['Reported as delivered by the app', sumStatus(counts, 'delivered')],
    ['Reported as opened by the app', sumStatus(counts, 'interacted')],
  ] as const
  return (
    <Table
      caption="Pushes that came this far"
      columns={[
        { title: 'Stage', cell: ([name]) => name },
        { title: 'Number', isNumber: true, cell: ([, count]) => formatCount(count) },
        { title: 'Of all', isNumber: true, cell: ([, count]) => formatShare(count, all) },
        {
          title: 'Share',
          cell: ([, count]) => <ShareBar part={count} whole={all} />,
        },
      ]}
      rows={stages}
      empty=""
    />
  )
}
