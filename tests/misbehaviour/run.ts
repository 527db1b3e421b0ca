// npm run test:misbehaviour: the outcome of every push while its provider misbehaves, as a table.
import { parseArgs } from 'node:util'
import type { BackendName } from '../faults/backend.ts'
import { BACKEND_NAMES, startBackend } from '../faults/start-backend.ts'
import { formatCounts } from '../support/format-counts.ts'
import { withLeakCheck } from '../support/run-leaks.ts'
import { parseSeed, SEED } from '../support/seed.ts'
import { MISBEHAVIOUR_CASES } from './cases.ts'
import type { MisbehaviourCase } from './misbehaving-provider.ts'
import { MISTAKES, type Mistake } from './mistakes.ts'
import { describeRun, HEADER, hasPassed } from './report.ts'
import { type RunOptions, runProvider } from './run-provider.ts'

const HELP = `npm run test:misbehaviour -- [--full] [--mistakes] [--provider NAME] [--backend NAME] [--seed N]

Sends through a real server to providers that misbehave at every twentieth request, in all their ways, and compares
the outcome that the server reports for each push with the simulator's record.

  --full           100,000 pushes to each provider instead of 3,000: an hour instead of minutes
  --mistakes       plants mistakes in the server, and checks that each is noticed
  --provider NAME  ${MISBEHAVIOUR_CASES.map(({ name }) => name).join(', ')}
  --backend NAME   ${BACKEND_NAMES.join(', ')}: the store of the queue; redis unless given
  --seed N         the seed of the random choices, or 'random' for a new one; without it every run has the same seed
`
const SHORT = 3000
const FULL = 100_000
const PROGRESS_MS = 30_000

interface Task {
  backend: BackendName
  tested: MisbehaviourCase
  mistake: Mistake | undefined
  options: Pick<RunOptions, 'pushes' | 'seed' | 'signal'>
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      full: { type: 'boolean', default: false },
      mistakes: { type: 'boolean', default: false },
      provider: { type: 'string' },
      backend: { type: 'string', default: 'redis' },
      seed: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const backend = BACKEND_NAMES.find((name) => name === values.backend)
  const cases = MISBEHAVIOUR_CASES.filter(({ name }) => values.provider === undefined || name === values.provider)
  if (values.help || !backend || cases.length === 0) {
    process.stdout.write(HELP)
    return values.help ? 0 : 2
  }
  const seed = values.seed === undefined ? SEED : parseSeed(values.seed)
  const pushes = values.full ? FULL : SHORT
  const options = { pushes, seed, signal: abortWhenInterrupted() }
  const mistakes = values.mistakes ? MISTAKES : [undefined]
  const tasks = cases.flatMap((tested) => mistakes.map((mistake): Task => ({ backend, tested, mistake, options })))
  const run = async () => {
    process.stdout.write(`${new Date().toISOString()} ${pushes} pushes each, seed ${seed}\n${HEADER}\n`)
    // Short runs wait most of their time for answers that never come, so all of them run at the same time.
    const passed = values.full || values.mistakes ? await runInTurn(tasks) : await Promise.all(tasks.map(runTask))
    process.stdout.write(formatCounts(passed))
    return passed.every(Boolean) ? 0 : 1
  }
  // The logs of a full run are too long to be kept and searched.
  return values.full ? run() : withLeakCheck(run)
}

/** Aborts at SIGINT and SIGTERM, which may come twice: an interrupted run leaves none of its processes behind. */
function abortWhenInterrupted(): AbortSignal {
  const controller = new AbortController()
  const abort = () => controller.abort(new Error('the run was interrupted'))
  process.on('SIGINT', abort).on('SIGTERM', abort)
  return controller.signal
}

async function runInTurn(tasks: readonly Task[]): Promise<boolean[]> {
  const passed: boolean[] = []
  for (const task of tasks) passed.push(await runTask(task))
  return passed
}

/** Runs in a store of its own, and prints the row. @returns whether the run passed */
async function runTask({ backend: name, tested, mistake, options }: Task): Promise<boolean> {
  const backend = await startBackend(name)
  const startedAtMs = Date.now()
  const onProgress = makeProgress(`${tested.name} on ${name}`)
  try {
    const verdict = await runProvider(tested, { ...options, backend, mistake: mistake?.name, onProgress })
    const run = { provider: tested.name, backend: name, verdict, seconds: (Date.now() - startedAtMs) / 1000, mistake }
    process.stdout.write(describeRun(run))
    return hasPassed(run)
  } catch (error) {
    // The other runs go on.
    process.stdout.write(`${tested.name} on ${name}: ${error instanceof Error ? error.message : error}\n`)
    return false
  } finally {
    await backend.stop()
  }
}

/** Progress goes to standard error, so that the table on standard output stays a table. */
function makeProgress(task: string): (requests: number) => void {
  let nextAtMs = Date.now() + PROGRESS_MS
  return (requests) => {
    if (Date.now() < nextAtMs) return
    nextAtMs += PROGRESS_MS
    process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${task}: ${requests} requests\n`)
  }
}

process.exitCode = await main()
