import type { VolumeReader } from '../../analytics/analytics.ts'
import type { AdminSources } from '../admin-sources.ts'
import { sumStatus } from '../analytics/volume-series.ts'
import { formatCount, State } from '../layout/format.tsx'
import { type Figure, Figures } from '../layout/table.tsx'

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

interface RatesProps {
  /** Undefined without a database. */
  rates: RecentRates | undefined
  health: ReturnType<AdminSources['readHealth']>
}

/** The rates of the moment, and whether this server sends. It is a live part. */
export function Rates({ rates, health }: RatesProps) {
  return <Figures figures={[...(rates ? listRates(rates) : []), describeWorkers(health)]} />
}

function listRates({ lastMinute, thisMinute }: RecentRates): Figure[] {
  const soFar = (count: number) => `${formatCount(count)} in this minute so far`
  return [
    {
      name: 'Accepted by providers in the last minute',
      value: formatCount(lastMinute.sent),
      note: soFar(thisMinute.sent),
    },
    { name: 'Failed in the last minute', value: formatCount(lastMinute.failed), note: soFar(thisMinute.failed) },
  ]
}

function describeWorkers({ isReady, hasWorkers }: RatesProps['health']): Figure {
  const name = 'Workers of this server'
  if (!hasWorkers) return { name, value: 'none', note: 'other servers send' }
  return { name, value: <State name={isReady ? 'running' : 'failed'} />, note: 'they take batches from the queue' }
}
