// The HTTP/2 client alone, beside h2load and Node's http2 module: npx tsx bench/http2.ts [--json FILE] [--profile FILE]
//
// All send the same number of bytes to the same nghttpd, in turns, five times; medians are compared. Requests are like
// FCM's: a header of 210 bytes, a body of 320 with a token of its own, or like APNs': a path of its own. Every answer is
// read and compared. Sink and client share the machine's cores.
import { writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { recordProfile } from './http2-profile.ts'
import { median, withSurroundings } from './measure.ts'
import { runCentripush } from './peers/centripush-http2.ts'
import { runH2load } from './peers/h2load.ts'
import { type Load, makeFcmLoad, type Rate } from './peers/load.ts'
import { type Sink, startNghttpd } from './peers/nghttpd.ts'
import { runNodeHttp2 } from './peers/node-http2.ts'

const ROUNDS = 5
const REQUESTS = 150_000
/** Node's module is slower by an order of magnitude: fewer, so that each run takes about as long. */
const NODE_REQUESTS = 12_000

const { values } = parseArgs({ options: { json: { type: 'string' }, profile: { type: 'string' } } })

interface Measured extends Rate {
  client: string
  connections: number
  streams: number
  /** The share of the CPU's time that other guests of the host took. */
  stealPercent: number
  /** Processes that ran or waited to run, over the last minute, sink and client among them. */
  loadAverage: number
}

function makeLoad(connections: number, streams: number, requests: number): Load {
  return makeFcmLoad('/send', connections, streams, requests)
}

/** A path of 64 characters, as a device token has; nghttpd looks for the file before the question mark. */
function pathOf(index: number): string {
  return `/send?${String(index).padStart(64, 'a')}`
}

async function* runRound(sink: Sink): AsyncGenerator<Measured> {
  for (const [connections, streams] of [
    [1, 100],
    [4, 250],
  ] as const) {
    const load = makeLoad(connections, streams, REQUESTS)
    const measure = async (client: string, work: () => Promise<Rate>): Promise<Measured> => {
      return { client, connections, streams, ...(await withSurroundings(work)) }
    }
    yield await measure('h2load', () => runH2load(sink, load))
    yield await measure('centripush', () => runCentripush(sink, load))
    yield await measure('centripush, a path each', () => runCentripush(sink, load, pathOf))
    yield await measure('node:http2', () => runNodeHttp2(sink, { ...load, requests: NODE_REQUESTS }))
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

const sink = await startNghttpd()
try {
  if (values.profile !== undefined) {
    await recordProfile(values.profile, () => runCentripush(sink, makeLoad(4, 250, 4 * REQUESTS)))
  } else {
    const runs: Measured[] = []
    for (let round = 0; round < ROUNDS; round++) {
      for await (const run of runRound(sink)) runs.push(run)
    }
    const medians = summarize(runs)
    console.log(`medians of ${ROUNDS}, Node ${process.version}, ${cpus().length} cores, ${new Date().toISOString()}\n`)
    printTable(medians)
    if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify({ medians, runs }, undefined, 2)}\n`)
  }
} finally {
  await sink.stop()
}
