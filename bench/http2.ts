// The HTTP/2 client compared with h2load, Go's net/http and Node's http2 module:
//   npm run bench:http2 -- [--quick] [--profile FILE] [--keep] [--json FILE]
//
// All clients send the same number of bytes to the same nghttpd, in turn, five times; medians are compared. A request
// like FCM's has a header of 210 bytes and a body of 320 bytes with its own token; one like APNs' also has its own
// path. Every answer is read and compared. Sink and client share the machine's cores.
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { median, withSurroundings } from './harness/measure.ts'
import { hasProgram } from './harness/programs.ts'
import { type Check, writeReport } from './harness/report.ts'
import { findResultFile, RESULT_OPTIONS } from './harness/results.ts'
import { limitTime, using } from './harness/teardown.ts'
import { recordProfile } from './http2/http2-profile.ts'
import { runCentripush } from './peers/centripush-http2.ts'
import { buildGoClient, type GoClient } from './peers/go-http.ts'
import { runH2load } from './peers/h2load.ts'
import { type Load, makeFcmLoad, type Rate } from './peers/load.ts'
import { type Sink, startNghttpd } from './peers/nghttpd.ts'
import { runNodeHttp2 } from './peers/node-http2.ts'

const TIMEOUT_MS = 5 * 60_000
const MIN_OF_H2LOAD = 0.75
const MIN_OF_NODE = 6
const MAX_CPU_MICROS = 6

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    profile: { type: 'string' },
    ...RESULT_OPTIONS,
  },
})
const rounds = values.quick ? 3 : 5
const requests = values.quick ? 60_000 : 150_000
/** Node's module is slower by an order of magnitude; with fewer requests its runs take about as long. */
const nodeRequests = requests / 12
/** Go's client is slower too. */
const goRequests = requests / 6

interface Measured extends Rate {
  client: string
  connections: number
  streams: number
  /** The share of CPU time that other guests of the host used. */
  stealPercent: number
  /** The load average of the last minute; sink and client are part of it. */
  loadAverage: number
}

function makeLoad(connections: number, streams: number, requests: number): Load {
  return makeFcmLoad('/send', connections, streams, requests)
}

/** A path with 64 characters after the question mark, the length of a device token. nghttpd ignores the query. */
function pathOf(index: number): string {
  return `/send?${String(index).padStart(64, 'a')}`
}

async function* runRound(sink: Sink, go: GoClient | undefined): AsyncGenerator<Measured> {
  for (const [connections, streams] of [
    [1, 100],
    [4, 250],
  ] as const) {
    const load = makeLoad(connections, streams, requests)
    const measure = async (client: string, work: () => Promise<Rate>): Promise<Measured> => {
      return { client, connections, streams, ...(await withSurroundings(work)) }
    }
    yield await measure('h2load', () => runH2load(sink, load))
    yield await measure('centripush', () => runCentripush(sink, load))
    yield await measure('centripush, a path each', () => runCentripush(sink, load, pathOf))
    if (go) yield await measure('Go net/http', () => go.run(sink, { ...load, requests: goRequests }))
    yield await measure('node:http2', () => runNodeHttp2(sink, { ...load, requests: nodeRequests }))
  }
}

function isSameCase(one: Measured, other: Measured): boolean {
  return one.client === other.client && one.connections === other.connections
}

/** The median run of each client and load, in the order of the rounds. */
function summarize(runs: readonly Measured[]): Measured[] {
  const firsts = runs.filter((run) => runs.find((other) => isSameCase(other, run)) === run)
  return firsts.map((first) => {
    const group = runs.filter((run) => isSameCase(run, first))
    const cpu = group.flatMap(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest ?? [])
    return {
      ...first,
      perSecond: median(group.map(({ perSecond }) => perSecond)),
      stealPercent: median(group.map(({ stealPercent }) => stealPercent)),
      loadAverage: median(group.map(({ loadAverage }) => loadAverage)),
      ...(cpu.length > 0 && { cpuMicrosPerRequest: median(cpu) }),
    }
  })
}

function printTable(medians: readonly Measured[]): void {
  console.log(
    '| client | connections × streams | requests/s | of h2load | of node:http2 | CPU µs/request | steal | load |',
  )
  console.log('| --- | --- | --: | --: | --: | --: | --: | --: |')
  for (const each of medians) {
    const ratioTo = (client: string) => {
      const other = medians.find((one) => one.client === client && one.connections === each.connections)
      return other ? (each.perSecond / other.perSecond).toFixed(2) : ''
    }
    const cells = [
      each.client,
      `${each.connections} × ${each.streams}`,
      Math.round(each.perSecond).toLocaleString('en'),
      ratioTo('h2load'),
      ratioTo('node:http2'),
      each.cpuMicrosPerRequest?.toFixed(1) ?? '',
      `${each.stealPercent.toFixed(1)} %`,
      each.loadAverage.toFixed(1),
    ]
    console.log(`| ${cells.join(' | ')} |`)
  }
}

/** The targets of the client, with one connection and with four. */
function checkMedians(medians: readonly Measured[]): Check[] {
  return medians
    .filter(({ client }) => client === 'centripush')
    .flatMap((ours) => {
      const load = `${ours.connections} × ${ours.streams}`
      const { stealPercent, loadAverage } = ours
      const compare = (peer: string, target: number | undefined): Check[] => {
        const other = medians.find((one) => one.client === peer && one.connections === ours.connections)
        if (!other) return []
        const value = ours.perSecond / other.perSecond
        const check = {
          name: `http2: rate with ${load} beside ${peer}`,
          value: `${value.toFixed(2)} times (${Math.round(ours.perSecond)} and ${Math.round(other.perSecond)}/s)`,
          target: target === undefined ? '' : `≥ ${target} times`,
          isMet: target === undefined ? undefined : value >= target,
        }
        const ratio = { key: `http2 ${load} to ${peer}`, value, better: 'higher' as const }
        return [{ ...check, ratio, stealPercent, loadAverage }]
      }
      const micros = ours.cpuMicrosPerRequest ?? Number.NaN
      const cpu = {
        name: `http2: CPU of a request with ${load}`,
        value: `${micros.toFixed(1)} µs`,
        target: ours.connections === 4 ? `≤ ${MAX_CPU_MICROS} µs` : '',
        isMet: ours.connections === 4 ? micros <= MAX_CPU_MICROS : undefined,
        stealPercent,
        loadAverage,
      }
      return [
        ...compare('h2load', MIN_OF_H2LOAD),
        ...compare('node:http2', MIN_OF_NODE),
        ...compare('Go net/http', undefined),
        cpu,
      ]
    })
}

async function measureAll(sink: Sink, go: GoClient | undefined): Promise<void> {
  const runs: Measured[] = []
  for (let round = 0; round < rounds; round++) {
    for await (const run of runRound(sink, go)) runs.push(run)
  }
  const medians = summarize(runs)
  console.log(`medians of ${rounds}, Node ${process.version}, ${cpus().length} cores, ${new Date().toISOString()}\n`)
  printTable(medians)
  await writeReport(findResultFile('http2', values), checkMedians(medians))
}

limitTime(TIMEOUT_MS)
await using(startNghttpd(), async (sink) => {
  if (values.profile !== undefined) {
    await recordProfile(values.profile, () => runCentripush(sink, makeLoad(4, 250, 4 * requests)))
  } else if (hasProgram('go')) {
    await using(buildGoClient(), (go) => measureAll(sink, go))
  } else {
    await measureAll(sink, undefined)
  }
})
