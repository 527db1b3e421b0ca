// Large request bodies: npm run bench:bodies -- [--queue redis|postgresql] [--input none|tokens|fields|arrays] [--keep]
//   [--json FILE]
//
// Three inputs to the server's API: a hundred requests of 100,000 raw tokens at once; bodies of 60 MB with twelve
// million fields; bodies of 60 MB with arrays. Another process measures `/health` and ordinary calls at the same time.
// Memory is that of the server and its children.
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { makeLogger } from '../src/observability/log.ts'
import { startCentripush } from '../tests/support/centripush-process.ts'
import { KillableRedis } from '../tests/support/killable-redis.ts'
import { type Input, listArrays, listFields, makeTokens } from './bodies/inputs.ts'
import { MemoryWatch } from './bodies/memory.ts'
import { post } from './bodies/post.ts'
import { probeDuring } from './bodies/probe.ts'
import { takeStoredTargets } from './bodies/stored-targets.ts'
import { summarize, withSurroundings } from './harness/measure.ts'
import { Report, writeReport } from './harness/report.ts'
import { findResultFile, RESULT_OPTIONS } from './harness/results.ts'
import { limitTime, using } from './harness/teardown.ts'
import { withDatabase } from './harness/with-database.ts'
import { startStandIn } from './proxy/upstream-node.ts'

const TIMEOUT_MS = 30 * 60_000
const REQUESTS = 100
const TOKENS = 100_000
const MAX_BYTES = 1e9
const MAX_P99_MS = 250
/** The time after which memory is measured again. */
const REST_MS = 60_000
const KEY = 'key-of-the-server'
const QUEUES = ['postgresql', 'redis']
/** The first one is nothing, for comparison. */
const INPUTS = ['none', 'tokens', 'fields', 'arrays']
const NONE_MS = 10_000

const { values } = parseArgs({
  options: {
    queue: { type: 'string', multiple: true, default: QUEUES },
    input: { type: 'string', multiple: true, default: INPUTS },
    ...RESULT_OPTIONS,
  },
})
const report = new Report()
const logger = makeLogger({ level: 'error', file: '' })

interface Server {
  url: string
  pid: number
}

/** Sends a hundred large requests at once. @returns the number of accepted ones */
async function sendTokens({ url }: Server): Promise<number> {
  const input = makeTokens()
  const answers = await Promise.all(Array.from({ length: REQUESTS }, () => post(url, KEY, input)))
  printAnswers(input.name, answers)
  return answers.filter((answer) => answer === '200').length
}

async function sendEach({ url }: Server, inputs: readonly (() => Input)[]): Promise<void> {
  for (const make of inputs) {
    const input = make()
    const startMs = performance.now()
    const answer = await post(url, KEY, input)
    console.log(`    ${input.name}: ${answer}, ${((performance.now() - startMs) / 1000).toFixed(1)} s`)
  }
}

function printAnswers(name: string, answers: readonly string[]): void {
  const counts = new Map<string, number>()
  for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1)
  console.log(`    ${name}: ${[...counts].map(([answer, count]) => `${count} × ${answer}`).join(', ')}`)
}

async function measure(server: Server, name: string, work: () => Promise<void>): Promise<void> {
  const memory = new MemoryWatch(server.pid)
  const { timesMs, failures, ...surroundings } = await withSurroundings(() => probeDuring(server.url, KEY, work))
  const peakBytes = memory.takePeak()
  addBytes(`${name}: peak memory`, peakBytes, MAX_BYTES)
  for (const [asked, all] of Object.entries(timesMs)) {
    const times = summarize(all)
    report.add({
      name: `${name}: ${asked}`,
      value: `${times.p99Ms.toFixed(0)} ms, longest ${Math.max(...all).toFixed(0)} ms, of ${times.count}`,
      target: `p99 ≤ ${MAX_P99_MS} ms`,
      isMet: times.p99Ms <= MAX_P99_MS,
      p50Ms: times.p50Ms,
      p99Ms: times.p99Ms,
      ...surroundings,
    })
  }
  report.add({
    name: `${name}: ordinary calls that failed`,
    value: `${failures.length} ${failures[0]?.slice(0, 100) ?? ''}`,
    target: '0',
    isMet: failures.length === 0,
  })
  await delay(REST_MS)
  addBytes(`${name}: memory a minute later`, await memory.read())
  memory.stop()
}

function addBytes(name: string, bytes: number, limit?: number): void {
  report.add({
    name,
    value: `${Math.round(bytes / 1e6)} MB`,
    target: limit === undefined ? '' : `≤ ${limit / 1e6} MB`,
    isMet: limit === undefined ? undefined : bytes <= limit,
  })
}

async function measureQueue(queue: string, dsn: string, nodeAddress: string, nodeKey: string): Promise<void> {
  await using(KillableRedis.start(), async (redis) => {
    const config = {
      http_api: { key: KEY },
      upstream: { address: nodeAddress, api_key: nodeKey },
      database: { postgresql: { dsn } },
      push_notifications: {
        queue: queue === 'redis' ? { redis: { address: `redis://127.0.0.1:${redis.port}` } } : {},
      },
      log: { level: 'warn' as const },
    }
    for (const input of values.input) {
      await using(startCentripush(config, { role: 'api' }), async (server) => {
        addBytes(`${queue}, ${input}: memory before`, await new MemoryWatch(server.pid).read())
        let accepted = 0
        await measure(server, `${queue}, ${input}`, async () => {
          if (input === 'none') await delay(NONE_MS)
          else if (input === 'fields') await sendEach(server, listFields())
          else if (input === 'arrays') await sendEach(server, listArrays())
          else accepted = await sendTokens(server)
        })
        const stored = await takeStoredTargets(queue, dsn, redis.port)
        report.add({
          name: `${queue}, ${input}: stored targets of ${accepted} accepted large sends`,
          value: String(stored),
          target: String(accepted * TOKENS),
          isMet: stored === accepted * TOKENS,
        })
        if (server.output.stdout) console.log(server.output.stdout.slice(-2000))
      })
    }
  })
}

limitTime(TIMEOUT_MS)
await using(startStandIn(), async (node) => {
  for (const queue of values.queue) {
    await withDatabase(logger, ({ dsn }) => measureQueue(queue, dsn, node.address, node.key))
  }
})
await writeReport(findResultFile('bodies', values), report.checks)
