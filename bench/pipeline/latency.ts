// Broadcasts to a push service with late answers, and single pushes during a broadcast.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { median, summarize, type Times, withSurroundings } from '../harness/measure.ts'
import { using } from '../harness/teardown.ts'
import { makeSendRequest, type Rig, runBroadcast } from './broadcast.ts'
import { type PipelineContext, WARM_UP_DEVICES } from './context.ts'
import { startPushService } from './push-service.ts'
import type { QueueName } from './queue-watch.ts'
import { callApi } from './server.ts'
import { loadSubscribers } from './subscribers.ts'
import { withRig } from './with-rig.ts'

const DELAY_MS = 100
/** FCM's limit of streams on a connection. */
const FCM_STREAMS = 100
/** The least share of the rate without delay. */
const MIN_SHARE = 0.8
const PAIRS = 3
const SINGLE_EVERY_MS = 50
const MAX_SINGLE_MS = 10
/** Single pushes without a broadcast. */
const ALONE_SINGLES = 40
/** Single pushes before the measurement, for V8 to compile their code. */
const WARM_UP_SINGLES = 1000

/**
 * Sends the same broadcast to a service that answers at once and to one that answers late, both with FCM's limit of
 * streams. They run in turn, because the speed of the machine may change.
 */
export async function measureDistance(context: PipelineContext, queue: QueueName, devices: number): Promise<void> {
  const topic = `distance:${queue}`
  await loadSubscribers(context.sql, `warm:${topic}`, 'fcm', WARM_UP_DEVICES, '')
  await loadSubscribers(context.sql, topic, 'fcm', devices, '')
  const pairs: { near: SentAcross; far: SentAcross; share: number }[] = []
  for (let pair = 0; pair < PAIRS; pair++) {
    const near = await sendAcross(context, queue, devices, 0)
    const far = await sendAcross(context, queue, devices, DELAY_MS)
    pairs.push({ near, far, share: far.perSecond / near.perSecond })
  }
  const share = median(pairs.map((pair) => pair.share))
  const shown = pairs.find((pair) => pair.share === share)
  if (!shown) return
  const { near, far } = shown
  context.report.add({
    name: `fcm, ${queue}: with answers after ${DELAY_MS} ms and ${FCM_STREAMS} streams on a connection`,
    value:
      `${share.toFixed(2)} of the rate without delay (${pairs.map((pair) => pair.share.toFixed(2)).join(', ')}): ` +
      `${Math.round(far.perSecond)} pushes/s on ${far.connections} connections, ` +
      `${Math.round(near.perSecond)} on ${near.connections}`,
    target: `≥ ${MIN_SHARE}`,
    isMet: share >= MIN_SHARE,
    stealPercent: far.stealPercent,
    loadAverage: far.loadAverage,
    ratio: { key: `pipeline ${queue} 100 ms away`, value: share, better: 'higher' },
  })
}

type SentAcross = Awaited<ReturnType<typeof sendAcross>>

function sendAcross(context: PipelineContext, queue: QueueName, devices: number, delayMs: number) {
  return using(startPushService('fcm', 'counting', { delayMs, maxStreams: FCM_STREAMS }), async (service) =>
    withRig({ ...context, provider: 'fcm', queue, service }, async (rig) => {
      const topic = `distance:${queue}`
      await runBroadcast(rig, `warm:${topic}`, WARM_UP_DEVICES)
      const broadcast = await withSurroundings(() => runBroadcast(rig, topic, devices))
      return { ...broadcast, connections: (await service.counting?.count())?.connections ?? 0 }
    }),
  )
}

/** Measures the time from a single push's request to its arrival, alone and during a broadcast. */
export async function measureSingles(context: PipelineContext, queue: QueueName, devices: number): Promise<void> {
  await using(startPushService('fcm', 'counting'), async (service) => {
    const topic = `singles:${queue}`
    await loadSubscribers(context.sql, topic, 'fcm', devices, service.sink.origin)
    await withRig({ ...context, provider: 'fcm', queue, service }, async (rig) => {
      for (let single = 0; single < WARM_UP_SINGLES; single++) await sendSingle(rig, `warm-up-${single}`)
      const alone = await sendSingles(rig, (count) => count >= ALONE_SINGLES)
      const { during, ...surroundings } = await withSurroundings(() => sendBeside(rig, topic))
      context.report.add({
        name: `fcm, ${queue}: a single push during a broadcast, request to provider`,
        value:
          `${during.p50Ms.toFixed(1)} ms at the median of ${during.count} ` +
          `(${alone.p50Ms.toFixed(1)} ms without the broadcast)`,
        target: `p50 < ${MAX_SINGLE_MS} ms`,
        isMet: during.p50Ms < MAX_SINGLE_MS,
        p50Ms: during.p50Ms,
        p99Ms: during.p99Ms,
        ...surroundings,
      })
    })
  })
}

async function sendBeside(rig: Rig, topic: string): Promise<{ during: Times }> {
  const { server, watched, provider } = rig
  const broadcast = makeSendRequest(provider, { filter: { topics: [topic] } })
  await callApi(server.url, 'send_push_notification', broadcast)
  let isOver = false
  const watching = (async () => {
    while ((await watched.queue.loadSend(broadcast.uid)) !== undefined) await delay(SINGLE_EVERY_MS)
    isOver = true
  })()
  const during = await sendSingles(rig, () => isOver)
  await watching
  return { during }
}

function sendSingle({ server, provider }: Rig, token: string): Promise<void> {
  return callApi(server.url, 'send_push_notification', makeSendRequest(provider, { fcm_tokens: [token] }))
}

async function sendSingles(rig: Rig, isEnough: (count: number) => boolean): Promise<Times> {
  const { service } = rig
  if (!service.counting) throw new Error('single pushes need the counting sink')
  const durationsMs: number[] = []
  while (!isEnough(durationsMs.length)) {
    const token = `single-${randomUUID()}`
    const { arrival } = await service.counting.watch(token)
    const startMs = Number(process.hrtime.bigint()) / 1e6
    await sendSingle(rig, token)
    durationsMs.push((await arrival) - startMs)
    await delay(SINGLE_EVERY_MS)
  }
  return summarize(durationsMs)
}
