// Pushes per second, compared with h2load's requests per second to the same sink in the same run.
import type { ProviderName } from '../../src/config/provider-names.ts'
import { median, withSurroundings } from '../harness/measure.ts'
import { describeMissing, hasProgram } from '../harness/programs.ts'
import { using } from '../harness/teardown.ts'
import { runH2load } from '../peers/h2load.ts'
import { makeFcmLoad } from '../peers/load.ts'
import { runBroadcast } from './broadcast.ts'
import { describeCpu, type MeasuredBroadcast, type PipelineContext, warmUpOf } from './context.ts'
import { type PushService, type SinkKind, startPushService } from './push-service.ts'
import type { QueueName } from './queue-watch.ts'
import { loadSubscribers } from './subscribers.ts'
import { withRig } from './with-rig.ts'

const MAX_WORKER_BYTES = 250 * 2 ** 20
/** The most memory of a worker at the end of the last broadcast, as a multiple of that at the beginning. */
const FLAT = 1.2
const H2LOAD_REQUESTS = 150_000

/**
 * The least pushes for each request of h2load: about two thirds of the ratios on an idle machine. A request of HMS has
 * a thousand tokens, and a Web Push message is encrypted.
 */
const MIN_RATIOS: Record<ProviderName, number> = { fcm: 0.4, apns: 0.35, hms: 1, webpush: 0.025 }

/** The options of one provider's measurement. */
export interface ThroughputOptions {
  provider: ProviderName
  queues: readonly QueueName[]
  sink: SinkKind
  devices: number
  runs: number
}

/** Sends to a topic of `devices`, `runs` times on each queue. */
export async function measureThroughput(context: PipelineContext, options: ThroughputOptions): Promise<void> {
  const { provider, queues, devices } = options
  await using(startPushService(provider, options.sink), async (service) => {
    const { origin } = service.sink
    await loadSubscribers(context.sql, `warm:${provider}`, provider, warmUpOf(devices), origin)
    await loadSubscribers(context.sql, `all:${provider}`, provider, devices, origin)
    const h2loadPerSecond = await measureH2load(service)
    for (const queue of queues) {
      const broadcasts = await sendAll(context, options, queue, service)
      addRate(context, options, queue, broadcasts, h2loadPerSecond)
      addMemory(context, options, queue, broadcasts)
    }
  })
}

/** Requests per second of h2load; undefined, with a notice, where it is not installed. */
async function measureH2load(service: PushService): Promise<number | undefined> {
  if (!hasProgram('h2load')) {
    console.log(`rates have no ratio and no verdict: ${describeMissing('h2load')}`)
    return undefined
  }
  const load = makeFcmLoad(`/${service.path}`, 4, 250, H2LOAD_REQUESTS)
  return (await runH2load(service.sink, load)).perSecond
}

function sendAll(
  context: PipelineContext,
  { provider, devices, runs }: ThroughputOptions,
  queue: QueueName,
  service: PushService,
): Promise<MeasuredBroadcast[]> {
  return withRig({ ...context, provider, queue, service }, async (rig) => {
    await runBroadcast(rig, `warm:${provider}`, warmUpOf(devices))
    const broadcasts: MeasuredBroadcast[] = []
    for (let run = 0; run < runs; run++) {
      broadcasts.push(await withSurroundings(() => runBroadcast(rig, `all:${provider}`, devices)))
    }
    return broadcasts
  })
}

function addRate(
  { report }: PipelineContext,
  { provider, devices }: ThroughputOptions,
  queue: QueueName,
  broadcasts: readonly MeasuredBroadcast[],
  h2loadPerSecond: number | undefined,
): void {
  const rate = median(broadcasts.map(({ perSecond }) => perSecond))
  const run = broadcasts.find(({ perSecond }) => perSecond === rate)
  if (!run) return
  const rates = broadcasts.map(({ perSecond }) => Math.round(perSecond)).join(', ')
  const [ratio, minRatio] = [rate / (h2loadPerSecond ?? Number.NaN), MIN_RATIOS[provider]]
  const compared =
    h2loadPerSecond === undefined ? '' : `${ratio.toFixed(2)} of h2load's ${Math.round(h2loadPerSecond)} requests/s; `
  report.add({
    name: `${provider}, ${queue}: send_push_notification to ${devices} devices`,
    value: `${Math.round(rate)} pushes/s (${rates}); ${compared}µs of CPU a push: ${describeCpu(run)}`,
    target: `≥ ${minRatio} of h2load`,
    isMet: h2loadPerSecond === undefined ? undefined : ratio >= minRatio,
    stealPercent: run.stealPercent,
    loadAverage: run.loadAverage,
    ...(h2loadPerSecond !== undefined && {
      ratio: { key: `pipeline ${provider} ${queue} to h2load`, value: ratio, better: 'higher' as const },
    }),
  })
}

function addMemory(
  { report }: PipelineContext,
  { provider }: ThroughputOptions,
  queue: QueueName,
  broadcasts: readonly MeasuredBroadcast[],
): void {
  const first = Math.max(...(broadcasts[0]?.memory ?? []).map((worker) => worker.first))
  const last = Math.max(...(broadcasts.at(-1)?.memory ?? []).map((worker) => worker.last))
  report.add({
    name: `${provider}, ${queue}: memory of the largest worker, at the beginning of the first and the end of the last`,
    value: `${Math.round(first / 2 ** 20)} and ${Math.round(last / 2 ** 20)} MB`,
    target: '< 250 MB, flat',
    isMet: last < MAX_WORKER_BYTES && last <= first * FLAT,
  })
}
