// All benchmarks, one after another: npm run bench -- [--quick] [--check] [--keep] [--only NAME] [--profile DIR]
//   [--upstream URL --upstream-key KEY]
//
// --quick takes minutes instead of half an hour. --check is quick, and fails when a ratio is worse than the kept ratios
// by more than a third. --keep writes the figures to bench/results and adds the ratios to bench/history.json; without
// it no tracked file changes.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as v from 'valibot'
import { appendHistory, compareRatios, readHistory } from './harness/history.ts'
import { type Check, printReport, writeReport } from './harness/report.ts'
import { findResultFile } from './harness/results.ts'

/** The time in which a benchmark has to end its servers when its own time is over. */
const END_TIMEOUT_MS = 40_000

interface Program {
  name: string
  minutes: number
  /** Whether it has the option `--profile DIR`. */
  hasProfile: boolean
  options: readonly string[]
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    profile: { type: 'string' },
    upstream: { type: 'string' },
    'upstream-key': { type: 'string', default: '' },
  },
})
const isQuick = values.quick || values.check
const quick = isQuick ? ['--quick'] : []
const node =
  values.upstream === undefined ? [] : ['--upstream', values.upstream, '--upstream-key', values['upstream-key']]

const PROGRAMS: readonly Program[] = [
  { name: 'http2', minutes: 3, hasProfile: false, options: quick },
  { name: 'peers', minutes: 3, hasProfile: false, options: quick },
  { name: 'webpush', minutes: 1, hasProfile: false, options: [] },
  { name: 'proxy', minutes: 3, hasProfile: true, options: [...quick, ...node] },
  { name: 'pipeline', minutes: 20, hasProfile: true, options: quick },
  { name: 'singles', minutes: 15, hasProfile: true, options: quick },
]

const Ratio = v.object({ key: v.string(), value: v.number(), better: v.picklist(['higher', 'lower']) })
const Reported = v.object({
  checks: v.array(
    v.object({
      name: v.string(),
      value: v.string(),
      target: v.string(),
      isMet: v.optional(v.boolean()),
      p50Ms: v.exactOptional(v.number()),
      p99Ms: v.exactOptional(v.number()),
      stealPercent: v.exactOptional(v.number()),
      loadAverage: v.exactOptional(v.number()),
      ratio: v.exactOptional(Ratio),
    }),
  ),
})

/** @throws Error when it fails or takes longer than it may */
async function run({ name, minutes, hasProfile, options }: Program): Promise<Check[]> {
  const file = findResultFile(name, values)
  const profile = hasProfile && values.profile !== undefined ? ['--profile', join(values.profile, name)] : []
  const program = [join(import.meta.dirname, `${name}.ts`), ...options, ...profile, '--json', file]
  const child = spawn(process.execPath, ['--import', 'tsx', ...program], { stdio: 'inherit' })
  // At SIGTERM a benchmark ends its servers and then itself.
  const timer = setTimeout(() => child.kill('SIGTERM'), minutes * 60_000)
  const killTimer = setTimeout(() => child.kill('SIGKILL'), minutes * 60_000 + END_TIMEOUT_MS)
  const forward = () => void child.kill('SIGTERM')
  process.once('SIGINT', forward).once('SIGTERM', forward)
  const [code] = await once(child, 'exit')
  for (const one of [timer, killTimer]) clearTimeout(one)
  process.off('SIGINT', forward).off('SIGTERM', forward)
  if (code !== 0) throw new Error(`bench: ${name} failed`)
  const { checks } = v.parse(Reported, JSON.parse(await readFile(file, 'utf8')))
  return checks.map(({ isMet, ...check }) => ({ ...check, isMet }))
}

const checks: Check[] = []
const failures: string[] = []
for (const program of PROGRAMS.filter(({ name }) => values.only?.includes(name) ?? true)) {
  console.log(`\n${program.name}`)
  try {
    checks.push(...(await run(program)))
  } catch (error) {
    failures.push(error instanceof Error ? error.message : program.name)
  }
}
const date = new Date().toISOString()
console.log(`\nall: ${date}, Node ${process.version}, ${cpus().length} cores\n`)
printReport(checks)
await writeReport(findResultFile('bench', values), checks)

const compared = compareRatios(checks, await readHistory(), isQuick)
if (compared.length > 0) {
  console.log('\ncompared with the kept ratios\n')
  printReport(compared)
}
if (values.keep) {
  const ratios = Object.fromEntries(checks.flatMap(({ ratio }) => (ratio ? [[ratio.key, ratio.value]] : [])))
  await appendHistory({ date, node: process.version, cores: cpus().length, isQuick, ratios })
}
if (values.check) {
  for (const { name, isMet } of compared)
    if (isMet === false) failures.push(`bench: ${name} is worse by more than a third`)
  if (compared.length === 0) failures.push('bench: there are no kept ratios of quick runs (--quick --keep adds them)')
}
for (const failure of failures) console.error(failure)
process.exitCode = failures.length > 0 ? 1 : 0
