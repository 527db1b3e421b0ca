// How many pushes a second, beside what the sink takes from h2load in the same run.
import { availableParallelism } from 'node:os'
import type { ProviderName } from '../../src/config/provider-names.ts'
import { median, withSurroundings } from '../harness/measure.ts'
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
/** How much more memory a worker may have at a broadcast's end than at its beginning. */
const FLAT = 1.2
const H2LOAD_REQUESTS = 150_000

/** Pushes a second. */
const TARGETS: Record<ProviderName, Record<QueueName, number>> = {
  fcm: { redis: 60_000, postgresql: 75_000 },
  apns: { redis: 60_000, postgresql: 75_000 },
  hms: { redis: 300_000, postgresql: 300_000 },
  webpush: { redis: 3000 * availableParallelism(), postgresql: 3000 * availableParallelism() },
}

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
    const { perSecond } = await runH2load(service.sink, makeFcmLoad(`/${service.path}`, 4, 250, H2LOAD_REQUESTS))
    for (const queue of queues) {
      const broadcasts = await sendAll(context, options, queue, service)
      addRate(context, options, queue, broadcasts, perSecond)
      addMemory(context, options, queue, broadcasts)
    }
  })
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
  h2loadPerSecond: number,
): void {
  const rate = median(broadcasts.map(({ perSecond }) => perSecond))
  const run = broadcasts.find(({ perSecond }) => perSecond === rate)
  if (!run) return
  const rates = broadcasts.map(({ perSecond }) => Math.round(perSecond)).join(', ')
  const target = TARGETS[provider][queue]
  report.add({
    name: `${provider}, ${queue}: send_push_notification to ${devices} devices`,
    value: `${Math.round(rate)} pushes/s (${rates}); µs of CPU a push: ${describeCpu(run)}`,
    target: `≥ ${target}`,
    isMet: rate >= target,
    stealPercent: run.stealPercent,
    loadAverage: run.loadAverage,
    ratio: { key: `pipeline ${provider} ${queue} to h2load`, value: rate / h2loadPerSecond, better: 'higher' },
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
