import type { VolumeReader } from '../../analytics/analytics.ts'
import { sumStatus } from '../analytics/volume-series.ts'
import { formatCount } from '../layout/format.tsx'
import { Facts } from '../layout/table.tsx'

const MINUTE_MS = 60_000

/** The pushes of the last whole minute and of this one so far: a minute is complete some seconds after its end. */
export interface RecentRates {
  lastMinute: { sent: number; failed: number }
  thisMinute: { sent: number; failed: number }
}

/** Reads how many pushes there are a minute. */
export async function readRates(volume: VolumeReader, nowMs: number): Promise<RecentRates> {
  const thisMs = nowMs - (nowMs % MINUTE_MS)
  const counts = await volume.readVolume({
    fromMs: thisMs - MINUTE_MS,
    toMs: thisMs + MINUTE_MS,
    stepMs: MINUTE_MS,
  })
  const sumOf = (fromMs: number) => {
    const ofMinute = counts.filter(({ timeMs }) => timeMs === fromMs)
    return { sent: sumStatus(ofMinute, 'sent'), failed: sumStatus(ofMinute, 'failed') }
  }
  return { lastMinute: sumOf(thisMs - MINUTE_MS), thisMinute: sumOf(thisMs) }
}

/** The rates of the moment. It is a live part. */
export function Rates({ rates }: { rates: RecentRates | undefined }) {
  if (!rates) return null
  const { lastMinute, thisMinute } = rates
  return (
    <Facts
      facts={[
        ['Accepted in the last minute', formatCount(lastMinute.sent)],
        ['Failed in the last minute', formatCount(lastMinute.failed)],
        ['Accepted in this minute so far', formatCount(thisMinute.sent)],
        ['Failed in this minute so far', formatCount(thisMinute.failed)],
      ]}
    />
  )
}
