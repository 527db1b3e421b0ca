// One kind of calls on two servers in turns: short rounds in the order A B B A, so that both get the same share of
// what changes on the machine. The figures are medians over pairs of neighbouring rounds.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { median, summarize } from '../harness/measure.ts'
import { readTreeNanos } from '../harness/process-times.ts'
import type { Check } from '../harness/report.ts'
import { API_KEY } from '../pipeline/server.ts'
import { HttpConnections } from '../singles/http-connections.ts'
import type { Rig } from '../singles/rig.ts'
import type { ApiCall, CallKind } from './call-kinds.ts'

/** The calls before the first round, after which V8 has compiled the code. */
const WARM_UP_CALLS = 4000
const WARM_UP_IN_FLIGHT = 32
const POLL_MS = 5
/** Pushes that have not come after this time are missing. */
const MISSING_MS = 15_000
/** A call must not take more than this, as a multiple of the other server's. */
const MAX_RATIO = 1.03

/** The sides of a comparison: the other checkout and this one. */
export interface Sides {
  other: Rig
  own: Rig
}

/** How much is measured. */
export interface Rounds {
  pairs: number
  seconds: number
  inFlight: number
}

interface Round {
  /** The microseconds of CPU of a call. */
  server: number
  stores: number
  /** The median time of a call in ms. */
  ms: number
}

/** Measures the kind on both servers. */
export async function compareKind(kind: CallKind, sides: Sides, rounds: Rounds): Promise<Check> {
  const { pairs, seconds, inFlight } = rounds
  let calls = 0
  for (const side of [sides.other, sides.own]) {
    await runCalls(kind, side, WARM_UP_CALLS, WARM_UP_IN_FLIGHT)
    const { perSecond } = await runCalls(kind, side, WARM_UP_CALLS / 4, inFlight)
    calls = Math.max(calls, Math.ceil(perSecond * seconds))
  }
  const results: Record<keyof Sides, Round>[] = []
  for (let pair = 0; pair < pairs; pair++) {
    const measure = (name: keyof Sides) => runCalls(kind, sides[name], calls, inFlight)
    if (pair % 2 === 0) {
      const other = await measure('other')
      results.push({ other, own: await measure('own') })
    } else {
      const own = await measure('own')
      results.push({ other: await measure('other'), own })
    }
  }
  return describe(kind, sides.own, rounds, results)
}

/** Makes the calls until all their pushes have arrived. */
async function runCalls(kind: CallKind, rig: Rig, calls: number, inFlight: number) {
  const run = randomUUID()
  const numbers = Array.from({ length: calls }, (_, number) => number)
  const connections = new HttpConnections(Number(new URL(rig.server.url).port), inFlight, `X-API-Key: ${API_KEY}\r\n`)
  await connections.openAll()
  const { before } = kind
  if (before)
    await post(
      connections,
      numbers.map((number) => before(run, number)),
      WARM_UP_IN_FLIGHT,
    )
  const measured = numbers.map((number) => kind.make(run, number))
  const expected = (await rig.sink.count()).requests + measured.reduce((sum, { pushes }) => sum + pushes, 0)
  const start = await readCpu(rig)
  const startMs = performance.now()
  const timesMs = await post(connections, measured, inFlight)
  const perSecond = (1000 * calls) / (performance.now() - startMs)
  connections.close()
  for (const waitMs = performance.now() + MISSING_MS; (await rig.sink.count()).requests < expected; ) {
    if (performance.now() > waitMs) throw new Error(`${kind.text}: pushes are missing`)
    await delay(POLL_MS)
  }
  const end = await readCpu(rig)
  const microsOf = (part: 'server' | 'stores') => (end[part] - start[part]) / 1000 / calls
  return { server: microsOf('server'), stores: microsOf('stores'), ms: summarize(timesMs).p50Ms, perSecond }
}

/** Resolves to the times of the calls in ms. */
async function post(connections: HttpConnections, calls: readonly ApiCall[], inFlight: number): Promise<number[]> {
  const timesMs: number[] = []
  let next = 0
  const caller = async () => {
    for (let call = calls[next++]; call; call = calls[next++]) timesMs.push(await postOne(connections, call))
  }
  await Promise.all(Array.from({ length: inFlight }, caller))
  return timesMs
}

function postOne(connections: HttpConnections, { path, body }: ApiCall): Promise<number> {
  const startMs = performance.now()
  return new Promise((resolve, reject) => {
    connections.post(path, body, (status, answer) => {
      if (status === 200 && answer.startsWith('{"result":')) resolve(performance.now() - startMs)
      else reject(new Error(`${path}: ${status} ${answer.slice(0, 200)}`))
    })
  })
}

async function readCpu(rig: Rig): Promise<{ server: number; stores: number }> {
  const [server, ...stores] = await Promise.all([rig.server.pid, ...rig.storePids].map(readTreeNanos))
  return { server: server ?? 0, stores: stores.reduce((sum, nanos) => sum + nanos, 0) }
}

function describe(
  kind: CallKind,
  { queue }: Rig,
  { pairs, inFlight }: Rounds,
  results: readonly Record<keyof Sides, Round>[],
): Check {
  const ratioOf = (read: (round: Round) => number) => median(results.map(({ other, own }) => read(own) / read(other)))
  const micros = (name: keyof Sides) =>
    (['server', 'stores'] as const).map((part) => median(results.map((pair) => pair[name][part])).toFixed(0)).join('+')
  const cpu = ratioOf(({ server, stores }) => server + stores)
  const time = ratioOf(({ ms }) => ms)
  const parts = [
    `CPU ${cpu.toFixed(3)} (server ${ratioOf(({ server }) => server).toFixed(3)},`,
    `stores ${ratioOf(({ stores }) => stores).toFixed(3)}; µs ${micros('other')} → ${micros('own')}),`,
    `time ${time.toFixed(3)} (${median(results.map(({ other }) => other.ms)).toFixed(2)} →`,
    `${median(results.map(({ own }) => own.ms)).toFixed(2)} ms)`,
  ]
  return {
    name: `${queue}, ${kind.text}, ${inFlight} in flight, ${pairs} pairs`,
    value: parts.join(' '),
    target: `≤ ${MAX_RATIO}`,
    isMet: cpu <= MAX_RATIO && time <= MAX_RATIO,
  }
}
