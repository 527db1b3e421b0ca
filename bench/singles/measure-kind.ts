// The figures of one kind of calls on one queue.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { summarize, withSurroundings } from '../harness/measure.ts'
import type { Report } from '../harness/report.ts'
import { callApi } from '../pipeline/server.ts'
import { TOPIC } from './devices.ts'
import { DELAY_SECONDS, KIND_TEXTS, type KindName } from './kinds.ts'
import type { LoadOrder, LoadReport } from './load-messages.ts'
import type { CpuTimes, Rig } from './rig.ts'

/** The calls in flight that find the saturation. */
const SATURATING = 128
/** The calls after which V8 has compiled the code, and the longest time for them in seconds. */
const WARM_UP = { inFlight: SATURATING, maxCalls: 4000, seconds: 15 }
const BARE_RUN = { inFlight: SATURATING, maxCalls: 8000, seconds: 10 }
const IDLE_RATE = 5
const BESIDE_RATE = 50
/** How long a broadcast may take beside the load. */
const MAX_BROADCAST_MS = 60_000
const POLL_MS = 20
/** Pushes that have not come this long after the previous one are missing. */
const MISSING_MS = 15_000
const MAX_BESIDE = { p50Ms: 10, p99Ms: 40 }
const MAX_HALF = { p50Ms: 10, p99Ms: 50 }
/** The most CPU of a call, as multiples of the bare route. */
const MAX_MULTIPLES = { api: 2.5, delayedApi: 1.5, workers: 1.5, redisStores: 1.5, postgresqlStores: 3 }

/** The size of the runs of a kind. */
export interface Sizes {
  /** The seconds of a run. */
  run: number
  /** The devices of the topic for broadcasts. */
  devices: number
}

/** A run at a rate, or with a number of calls in flight. */
type Load = Pick<LoadOrder, 'rate' | 'inFlight' | 'seconds' | 'maxCalls'>

interface Measured {
  report: LoadReport
  /** Finished calls a second: answered, and their pushes arrived. */
  perSecond: number
  timesMs: number[]
  /** The microseconds of CPU of an accepted call. */
  micros: CpuTimes
  pushes: number
}

/** Measures a kind and adds its rows. */
export async function measureKind(rig: Rig, kind: KindName, sizes: Sizes, report: Report): Promise<void> {
  const name = `${rig.queue}, ${KIND_TEXTS[kind]}`
  const seconds = sizes.run
  await runLoad(rig, kind, WARM_UP)
  const bareMicros = await measureBare(rig, kind)
  const { perSecond } = await runLoad(rig, kind, { inFlight: SATURATING, seconds })
  const { full, ...surroundings } = await withSurroundings(async () => ({
    full: await runLoad(rig, kind, { rate: perSecond, seconds }),
  }))
  const { multiples, stores, text } = describeCpu(rig, full.micros, bareMicros)
  const maxApi = kind === 'delayed' ? MAX_MULTIPLES.delayedApi : MAX_MULTIPLES.api
  const maxStores = MAX_MULTIPLES[`${rig.queue}Stores`]
  report.add({
    name: `${name}: at saturation`,
    value: `${perSecond.toFixed(0)} calls/s; ${text}; ${describeAnswers(full)}`,
    target: `API ≤ ${maxApi} ×, workers ≤ ${MAX_MULTIPLES.workers} ×, stores ≤ ${maxStores} ×`,
    isMet: multiples.api <= maxApi && multiples.workers <= MAX_MULTIPLES.workers && stores <= maxStores,
    ...summarize(full.timesMs),
    ...surroundings,
    ratio: {
      key: `singles ${rig.queue} ${kind} to bare route`,
      value: multiples.api + multiples.workers + stores,
      better: 'lower',
    },
  })
  const half = await withSurroundings(() => runLoad(rig, kind, { rate: perSecond / 2, seconds }))
  addTimes(report, `${name}: at half of saturation`, half, kind === 'delayed' ? undefined : MAX_HALF)
  addTimes(report, `${name}: idle`, await runLoad(rig, kind, { rate: IDLE_RATE, seconds }), undefined)
  const besideRate = Math.min(BESIDE_RATE, perSecond / 2)
  const beside = await withSurroundings(() => besideBroadcasts(rig, kind, besideRate, sizes))
  const limit = kind === 'delayed' ? undefined : MAX_BESIDE
  addTimes(report, `${name}: beside broadcasts`, beside, limit)
}

function addTimes(
  report: Report,
  name: string,
  measured: Measured,
  limit: { p50Ms: number; p99Ms: number } | undefined,
): void {
  const times = summarize(measured.timesMs)
  report.add({
    name,
    value: `${measured.perSecond.toFixed(0)} calls/s; ${describeAnswers(measured)}`,
    target: limit ? `p50 ≤ ${limit.p50Ms} ms, p99 ≤ ${limit.p99Ms} ms` : '',
    isMet: limit && times.p50Ms <= limit.p50Ms && times.p99Ms <= limit.p99Ms,
    ...times,
  })
}

/** The time between calls and answers, and all that is not as it should be. */
function describeAnswers({ report, pushes }: Measured): string {
  const { p50Ms, p99Ms } = summarize(report.answersMs)
  const { refusalsMs, failed, lateMs } = report
  const facts = [`answers p50 ${p50Ms.toFixed(1)}, p99 ${p99Ms.toFixed(1)} ms`]
  if (refusalsMs.length > 0) {
    facts.push(`${refusalsMs.length} refused, the last after ${Math.max(...refusalsMs).toFixed(0)} ms`)
  }
  if (failed > 0) facts.push(`${failed} failed`)
  if (pushes !== report.pushes) facts.push(`${pushes} of ${report.pushes} pushes`)
  if (lateMs > 2) facts.push(`generator late by ${lateMs.toFixed(1)} ms`)
  return facts.join('; ')
}

function describeCpu({ queue }: Rig, micros: CpuTimes, bareMicros: number) {
  const multiples = { api: micros.api / bareMicros, workers: micros.workers / bareMicros }
  const stores = (micros.postgresql + micros.redis) / bareMicros
  const part = (label: string, value: number) =>
    `${label} ${value.toFixed(0)} (${(value / bareMicros).toFixed(1)} ×)`
  const parts = [
    part('API', micros.api),
    part('workers', micros.workers),
    part('PostgreSQL', micros.postgresql),
    ...(queue === 'redis' ? [part('Redis', micros.redis)] : []),
  ]
  const others = `stubs ${micros.stubs.toFixed(0)}, load ${micros.load.toFixed(0)}, bare route ${bareMicros.toFixed(0)}`
  return { multiples, stores, text: `µs a call: ${parts.join(', ')}; ${others}` }
}

/** The CPU of the bare route for a call of the kind, in microseconds. */
async function measureBare(rig: Rig, kind: KindName): Promise<number> {
  const { port } = rig.bare
  await rig.run({ port, kind, run: randomUUID(), ...WARM_UP })
  const before = await rig.readCpu()
  const { answersMs } = await rig.run({ port, kind, run: randomUUID(), ...BARE_RUN })
  const after = await rig.readCpu()
  return ((after.bare - before.bare) * 1000) / answersMs.length
}

/** Runs a load until all of its pushes have arrived. */
async function runLoad(rig: Rig, kind: KindName, load: Load): Promise<Measured> {
  await rig.sink.takeTimes()
  const before = await rig.readCpu()
  const port = Number(new URL(rig.server.url).port)
  const report = await rig.run({ port, kind, run: randomUUID(), ...load })
  for (const failure of report.failures) console.error(`    ${failure}`)
  await waitForPushes(rig, report.pushes)
  const after = await rig.readCpu()
  const { timesMs, lastMs } = await rig.sink.takeTimes()
  const calls = report.answersMs.length
  const delayMs = kind === 'delayed' ? DELAY_SECONDS * 1000 : 0
  const endMs = Math.max(lastMs - delayMs, report.startMs + report.seconds * 1000)
  const microsOf = (part: keyof CpuTimes) => ((after[part] - before[part]) * 1000) / calls
  return {
    report,
    perSecond: (calls * 1000) / (endMs - report.startMs),
    timesMs,
    pushes: timesMs.length,
    micros: {
      api: microsOf('api'),
      workers: microsOf('workers'),
      postgresql: microsOf('postgresql'),
      redis: microsOf('redis'),
      stubs: microsOf('stubs'),
      load: microsOf('load'),
      bare: microsOf('bare'),
    },
  }
}

async function waitForPushes({ sink }: Rig, expected: number): Promise<void> {
  let count = await sink.countTimes()
  for (let grownMs = performance.now(); count < expected && performance.now() - grownMs < MISSING_MS; ) {
    await delay(POLL_MS)
    const next = await sink.countTimes()
    if (next > count) grownMs = performance.now()
    count = next
  }
}

/** Runs a load while one broadcast follows another. */
async function besideBroadcasts(rig: Rig, kind: KindName, rate: number, sizes: Sizes): Promise<Measured> {
  let isOver = false
  const sending = (async () => {
    while (!isOver) await broadcast(rig, sizes.devices)
  })()
  try {
    return await runLoad(rig, kind, { rate, seconds: sizes.run })
  } finally {
    isOver = true
    await sending
  }
}

/** Sends a broadcast, and waits until its pushes have arrived. */
async function broadcast({ server, sink }: Rig, devices: number): Promise<void> {
  const sentBefore = (await sink.count()).requests
  await callApi(server.url, 'send_push_notification', {
    uid: randomUUID(),
    recipient: { filter: { topics: [TOPIC] } },
    notification: { fcm: { message: { notification: { title: 'News', body: 'For everyone.' } } } },
  })
  const deadlineMs = performance.now() + MAX_BROADCAST_MS
  // Some of these requests are single pushes, so that the next broadcast begins a little before the end of this one.
  while ((await sink.count()).requests - sentBefore < devices && performance.now() < deadlineMs) await delay(POLL_MS)
}
