import { PROVIDER_NAMES } from '../../config/provider-names.ts'
import { LANES, type Lane } from '../../queue/lane.ts'
import type { QueueStats } from '../../queue/queue.ts'
import { formatCount, formatDuration, State } from '../layout/format.tsx'
import { Figures, Table } from '../layout/table.tsx'

const LANE_TEXTS: Readonly<Record<Lane, string>> = { small: 'small sends', broadcast: 'broadcasts' }

/** The work in the queue. It is a live part. */
export function QueueState({ stats }: { stats: QueueStats }) {
  const { waiting, inFlight, lanes, delayed, scheduled, deadLetters, oldestMs, pauses } = stats
  const allWaiting = lanes.small.waiting + lanes.broadcast.waiting
  return (
    <>
      <Figures
        figures={[
          {
            name: 'Waiting batches',
            value: formatCount(allWaiting),
            note: allWaiting === 0 ? 'no work waits' : `the oldest for ${formatDuration(oldestMs)}`,
          },
          { name: 'Batches for later', value: formatCount(delayed), note: 'retries, and pushes outside their hours' },
          { name: 'Scheduled sends', value: formatCount(scheduled), note: 'with a time in the future' },
          { name: 'Dead letters', value: formatCount(deadLetters), note: 'given up after all attempts' },
        ]}
      />
      <p class="intro">
        A batch has up to 900 devices of one provider, and is in flight while a worker sends it. Small sends have a lane
        of their own, so they never wait for broadcasts.
      </p>
      <Table
        caption="Batches of each lane"
        columns={[
          { title: 'Lane', cell: (lane) => LANE_TEXTS[lane] },
          { title: 'Waiting batches', isNumber: true, cell: (lane) => formatCount(lanes[lane].waiting) },
          { title: 'In flight', isNumber: true, cell: (lane) => formatCount(lanes[lane].inFlight) },
          {
            title: 'Oldest waiting',
            isNumber: true,
            cell: (lane) => (lanes[lane].waiting === 0 ? 'none waits' : formatDuration(lanes[lane].oldestMs)),
          },
        ]}
        rows={LANES}
        empty=""
      />
      <Table
        caption="Batches of each provider"
        columns={[
          { title: 'Provider', cell: (provider) => provider },
          { title: 'Waiting batches', isNumber: true, cell: (provider) => formatCount(waiting.get(provider) ?? 0) },
          { title: 'In flight', isNumber: true, cell: (provider) => formatCount(inFlight.get(provider) ?? 0) },
          {
            title: 'State',
            cell: (provider) => {
              const pause = pauses.find((paused) => paused.provider === provider)
              if (!pause) return <State name="running" />
              const { reason, probeInMs } = pause
              return (
                <>
                  <State name="paused" /> {reason}
                  {probeInMs !== undefined && (
                    <span class="faint">{`, next attempt in ${formatDuration(probeInMs)}`}</span>
                  )}
                </>
              )
            },
          },
        ]}
        rows={PROVIDER_NAMES}
        empty=""
      />
    </>
  )
}
