// npm run test:misbehaviour: what became of every push while its provider misbehaved, as a table.
import { parseArgs } from 'node:util'
import type { BackendName } from '../faults/backend.ts'
import { BACKEND_NAMES, startBackend } from '../faults/start-backend.ts'
import { MISBEHAVIOUR_CASES } from './cases.ts'
import type { MisbehaviourCase } from './misbehaving-provider.ts'
import { MISTAKES, type Mistake } from './mistakes.ts'
import { type RunOptions, runProvider } from './run-provider.ts'
import type { Verdict } from './verdict.ts'

const HELP = `npm run test:misbehaviour -- [--full] [--mistakes] [--provider NAME] [--backend NAME] [--seed N]

Sends through a real server to providers that misbehave at every twentieth request, in every way they know, and
compares what it says became of each push with what the provider did.

  --full           100,000 pushes to each instead of 3,000; an hour instead of minutes
  --mistakes       with mistakes planted in the server: says whether each is noticed
  --provider NAME  ${MISBEHAVIOUR_CASES.map(({ name }) => name).join(', ')}
  --backend NAME   ${BACKEND_NAMES.join(', ')}; the store of the queue, redis unless given
  --seed N         repeats the random choices of a run
`
const SHORT = 3000
const FULL = 100_000
const PROGRESS_MS = 30_000
const ROW = [10, 11, 10, 10, 11, 10, 10, 8, 9, 8] as const
const HEADER = [
  'provider',
  'back-end',
  'requests',
  'accepted',
  'duplicates',
  'withheld',
  'sent',
  'failed',
  'given up',
  'seconds',
  'verdict',
]

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
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed)
  const pushes = values.full ? FULL : SHORT
  process.stdout.write(`${new Date().toISOString()} ${pushes} pushes each, seed ${seed}\n${formatRow(HEADER)}\n`)
  const mistakes = values.mistakes ? MISTAKES : [undefined]
  let isGood = true
  for (const tested of cases) {
    for (const mistake of mistakes) isGood = (await runOn(backend, tested, { pushes, seed }, mistake)) && isGood
  }
  return isGood ? 0 : 1
}

/** In a store of its own. @returns whether it went as it should */
async function runOn(
  name: BackendName,
  tested: MisbehaviourCase,
  options: Pick<RunOptions, 'pushes' | 'seed'>,
  mistake: Mistake | undefined,
): Promise<boolean> {
  const backend = await startBackend(name)
  // Whoever interrupts a run is left with none of its processes.
  const interrupt = () => backend.stop().finally(() => process.exit(1))
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  const startedAtMs = Date.now()
  const onProgress = makeProgress(`${tested.name} on ${name}`)
  try {
    const verdict = await runProvider(tested, { ...options, backend, mistake: mistake?.name, onProgress })
    const seconds = (Date.now() - startedAtMs) / 1000
    process.stdout.write(describe(tested.name, name, verdict, seconds, mistake))
    return mistake ? isNoticed(verdict, mistake) : verdict.broken.length === 0
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
    await backend.stop()
  }
}

function isNoticed({ broken }: Verdict, { shows }: Mistake): boolean {
  return broken.some((sentence) => sentence.includes(shows))
}

function describe(provider: string, backend: string, verdict: Verdict, seconds: number, mistake?: Mistake): string {
  const { faults, requests, accepted, duplicates, withheld, sent, failed, givenUp, broken } = verdict
  const outcome = broken.length === 0 ? 'holds' : 'BROKEN'
  const figures = [requests, accepted, duplicates, withheld, sent, failed, givenUp, seconds.toFixed(0)]
  const notice = mistake ? ` with ${mistake.name}: ${isNoticed(verdict, mistake) ? 'noticed' : 'NOT NOTICED'}` : ''
  const counts = [...faults].map(([word, times]) => `${word} ${times}`).join(', ')
  const details = [...broken.slice(0, 8), `faults: ${counts}`].map((line) => `    ${line}\n`)
  return `${formatRow([provider, backend, ...figures, outcome])}${notice}\n${details.join('')}`
}

function formatRow(cells: readonly (string | number)[]): string {
  return cells.map((cell, index) => String(cell).padEnd(ROW[index] ?? 0)).join(' ')
}

/** Goes where it does not end up in the table. */
function makeProgress(what: string): (requests: number) => void {
  let nextAtMs = Date.now() + PROGRESS_MS
  return (requests) => {
    if (Date.now() < nextAtMs) return
    nextAtMs += PROGRESS_MS
    process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${what}: ${requests} requests\n`)
  }
}

process.exitCode = await main()
