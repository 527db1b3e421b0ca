// A real Prometheus, of Debian's package.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as v from 'valibot'
import { describe } from 'vitest'
import { findFreePort } from './centripush-process.ts'
import { findProgram } from './installed-program.ts'

const START_TIMEOUT_MS = 30_000
const POLL_MS = 50

const Answer = v.object({
  status: v.literal('success'),
  data: v.object({
    result: v.array(v.object({ metric: v.record(v.string(), v.string()), value: v.tuple([v.number(), v.string()]) })),
  }),
})
const Rules = v.object({
  data: v.object({
    groups: v.array(
      v.object({
        rules: v.array(v.object({ name: v.string(), health: v.string(), lastError: v.optional(v.string()) })),
      }),
    ),
  }),
})

/** A series of an answer. */
export interface Series {
  labels: Record<string, string>
  value: number
}

/** A group of tests with Prometheus and promtool. Where they are not installed, they are skipped with a message. */
export function describeWithPrometheus(name: string, tests: () => void): void {
  const isFound = findProgram(['prometheus'], 'prometheus') && findProgram(['promtool'], 'prometheus')
  if (!isFound) {
    const missing = 'prometheus is not installed (Debian: apt-get install prometheus)'
    if (process.env.CI === 'true') throw new Error(missing)
    console.warn(`SKIPPED: ${missing}`)
  }
  describe.skipIf(!isFound)(name, tests)
}

/** A running Prometheus with its own directory. */
export interface TestPrometheus {
  /** Evaluates an expression at the present time. @throws Error with its answer */
  query(expression: string): Promise<Series[]>
  /** The health of each rule, by its name: `ok`, `unknown` before the first evaluation, or an error. */
  readRules(): Promise<Record<string, string>>
  stop(): Promise<void>
}

/** Starts Prometheus with a configuration file. Resolves when it answers. */
export async function startPrometheus(configuration: string): Promise<TestPrometheus> {
  const directory = await mkdtemp(join(tmpdir(), 'centripush-prometheus-'))
  const file = join(directory, 'prometheus.yml')
  await writeFile(file, configuration)
  const address = `127.0.0.1:${await findFreePort()}`
  const options = [`--config.file=${file}`, `--storage.tsdb.path=${join(directory, 'data')}`]
  const child = spawn('prometheus', [...options, `--web.listen-address=${address}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let output = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const closed = once(child, 'close')
  const stop = async () => {
    child.kill('SIGTERM')
    await closed
    await rm(directory, { recursive: true, force: true })
  }
  const get = async (path: string) => await (await fetch(`http://${address}${path}`)).json()
  const isReady = () =>
    fetch(`http://${address}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    )
  const deadlineMs = Date.now() + START_TIMEOUT_MS
  while (!(await isReady())) {
    if (child.exitCode !== null || Date.now() > deadlineMs) {
      await stop()
      throw new Error(`prometheus did not start: ${output}`)
    }
    await delay(POLL_MS)
  }
  return {
    stop,
    async query(expression) {
      const answer = await get(`/api/v1/query?${new URLSearchParams({ query: expression })}`)
      const parsed = v.safeParse(Answer, answer)
      if (!parsed.success) throw new Error(`${expression}: ${JSON.stringify(answer)}`)
      return parsed.output.data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
    },
    async readRules() {
      const { data } = v.parse(Rules, await get('/api/v1/rules'))
      const rules = data.groups.flatMap((group) => group.rules)
      return Object.fromEntries(rules.map(({ name, health, lastError }) => [name, lastError || health]))
    },
  }
}
