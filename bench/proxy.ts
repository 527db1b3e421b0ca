// The proxy compared with its node: npm run bench:proxy -- [--upstream URL --upstream-key KEY] [--pairs N] [--quick]
//   [--profile DIR] [--keep] [--json FILE]
//
// `publish` goes to the node directly and through centripush, in turn. Without `--upstream` a stub replaces the node; a
// real Centrifugo node is the better measure. Load, node and server share the machine.
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { startCentripush } from '../tests/support/centripush-process.ts'
import { median, withSurroundings } from './harness/measure.ts'
import { readCpuMs } from './harness/process-times.ts'
import { Report, writeReport } from './harness/report.ts'
import { findResultFile, RESULT_OPTIONS } from './harness/results.ts'
import { limitTime, using } from './harness/teardown.ts'
import { type Endpoint, publishSteadily, runWrk } from './proxy/publish.ts'
import { startStandIn, useNode } from './proxy/upstream-node.ts'

const TIMEOUT_MS = 5 * 60_000
const MAX_CPU_MICROS = 85
const MIN_SHARE = 0.3
const STEADY_RATE = 500
const MAX_ADDED_MS = 1
const PROGRAM = resolve(import.meta.dirname, '../bin/centripush.js')
const KEY = 'key-of-the-server'

const { values } = parseArgs({
  options: {
    upstream: { type: 'string' },
    'upstream-key': { type: 'string', default: '' },
    pairs: { type: 'string', default: '5' },
    quick: { type: 'boolean', default: false },
    profile: { type: 'string' },
    ...RESULT_OPTIONS,
  },
})
const seconds = values.quick ? 2 : 5
const report = new Report()

interface Pair {
  direct: number
  proxied: number
  cpuMicros: number
}

async function runPair(direct: Endpoint, proxied: Endpoint, pid: number): Promise<Pair> {
  const straight = await runWrk(direct, seconds)
  const cpuBeforeMs = await readCpuMs(pid)
  const through = await runWrk(proxied, seconds)
  const cpuMs = (await readCpuMs(pid)) - cpuBeforeMs
  return { direct: straight.perSecond, proxied: through.perSecond, cpuMicros: (cpuMs * 1000) / through.requests }
}

async function measureRates(direct: Endpoint, proxied: Endpoint, pid: number, name: string): Promise<void> {
  // A first run warms up V8's compilers.
  await runWrk(proxied, seconds)
  const { pairs, ...surroundings } = await withSurroundings(async () => {
    const all: Pair[] = []
    for (let pair = 0; pair < Number(values.pairs); pair++) all.push(await runPair(direct, proxied, pid))
    return { pairs: all }
  })
  const shares = pairs.map((pair) => pair.proxied / pair.direct)
  const [share, cpuMicros] = [median(shares), median(pairs.map((pair) => pair.cpuMicros))]
  const rateOf = (key: 'direct' | 'proxied') => Math.round(median(pairs.map((pair) => pair[key])))
  report.add({
    name: `proxy: publish with 32 connections, share of the direct rate to ${name}`,
    value:
      `${share.toFixed(2)} (${shares.map((one) => one.toFixed(2)).join(', ')}): ` +
      `${rateOf('proxied')} of ${rateOf('direct')} requests/s`,
    target: `≥ ${MIN_SHARE}`,
    isMet: share >= MIN_SHARE,
    ratio: { key: 'proxy to direct', value: share, better: 'higher' },
    ...surroundings,
  })
  report.add({
    name: 'proxy: CPU of the server for a publish',
    value: `${cpuMicros.toFixed(0)} µs`,
    target: `≤ ${MAX_CPU_MICROS} µs`,
    isMet: cpuMicros <= MAX_CPU_MICROS,
    ...surroundings,
  })
}

async function measureSteadily(direct: Endpoint, proxied: Endpoint): Promise<void> {
  const { straight, through, ...surroundings } = await withSurroundings(async () => {
    await publishSteadily(proxied, STEADY_RATE, 1)
    return {
      straight: await publishSteadily(direct, STEADY_RATE, seconds),
      through: await publishSteadily(proxied, STEADY_RATE, seconds),
    }
  })
  const addedMs = through.p50Ms - straight.p50Ms
  report.add({
    name: `proxy: added at ${STEADY_RATE} requests/s, at the median`,
    value: `${addedMs.toFixed(2)} ms (${straight.p50Ms.toFixed(2)} ms direct)`,
    target: `≤ ${MAX_ADDED_MS} ms`,
    isMet: addedMs <= MAX_ADDED_MS,
    p50Ms: through.p50Ms,
    p99Ms: through.p99Ms,
    ...surroundings,
  })
}

limitTime(TIMEOUT_MS)
const starting =
  values.upstream === undefined ? startStandIn() : Promise.resolve(useNode(values.upstream, values['upstream-key']))
await using(starting, async (node) => {
  const profiled = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`]
  const config = {
    http_api: { key: KEY },
    upstream: { address: node.address, api_key: node.key },
    // Proxied requests need no devices.
    push_notifications: { enabled: false },
    log: { level: 'warn' as const },
  }
  await using(startCentripush(config, { program: [...profiled, PROGRAM] }), async (server) => {
    const [direct, proxied] = [
      { url: node.address, key: node.key },
      { url: server.url, key: KEY },
    ]
    await measureRates(direct, proxied, server.pid, node.name)
    await measureSteadily(direct, proxied)
  })
})
await writeReport(findResultFile('proxy', values), report.checks)
