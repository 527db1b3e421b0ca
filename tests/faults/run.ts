// npm run test:faults: every fault on every back-end, as a table.
import { parseArgs } from 'node:util'
import { surviveLostConnections } from '../../src/database/lost-connections.ts'
import type { BackendName } from './backend.ts'
import { FAULT_CASES } from './cases.ts'
import { MISTAKES, type Mistake } from './mistakes.ts'
import { Rig } from './rig.ts'
import { type CaseResult, isFor, runCase } from './run-case.ts'
import { FULL, PLANTED, type Scale, SHORT } from './scale.ts'
import { BACKEND_NAMES, startBackend } from './start-backend.ts'

const HELP = `npm run test:faults -- [--full] [--mistakes] [--only CASE] [--backend NAME] [--seed N]

Kills and stops real processes and counts what was lost or sent twice.

  --full          real leases, a hundred kills; hours instead of minutes
  --mistakes      with mistakes planted: says whether each case notices its own
  --only CASE     ${FAULT_CASES.map(({ name }) => name).join(', ')}
  --backend NAME  ${BACKEND_NAMES.join(', ')}
  --seed N        repeats the random choices of a round
`

interface Round {
  scale: Scale
  hasMistakes: boolean
  cases: typeof FAULT_CASES
  seed: number
}

const ROW = [26, 11, 7, 7, 11, 11, 8] as const
const HEADER = ['case', 'back-end', 'rounds', 'lost', 'duplicates', 'longest ms', 'seconds', 'verdict']

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      full: { type: 'boolean', default: false },
      mistakes: { type: 'boolean', default: false },
      only: { type: 'string' },
      backend: { type: 'string' },
      seed: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const backends = BACKEND_NAMES.filter((name) => values.backend === undefined || name === values.backend)
  const cases = FAULT_CASES.filter(({ name }) => values.only === undefined || name === values.only)
  if (values.help || backends.length === 0 || cases.length === 0) {
    process.stdout.write(HELP)
    return values.help ? 0 : 2
  }
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed)
  const scale = values.full ? FULL : values.mistakes ? PLANTED : SHORT
  const round = { scale, hasMistakes: values.mistakes, cases, seed }
  process.stdout.write(`${new Date().toISOString()} ${round.scale.name} round, seed ${seed}\n${formatRow(HEADER)}\n`)
  let isGood = true
  for (const backend of backends) isGood = (await runOn(backend, round)) && isGood
  return isGood ? 0 : 1
}

/** @returns whether every case went as it should */
async function runOn(name: BackendName, { scale, hasMistakes, cases, seed }: Round): Promise<boolean> {
  const backend = await startBackend(name)
  let isGood = true
  const run = async (rig: Rig, faultCase: (typeof cases)[number], mistake?: Mistake) => {
    const result = await runCase(rig, faultCase, seed, (progress) => note(`${faultCase.name} on ${name}: ${progress}`))
    isGood = isGood && (mistake ? isNoticed(result, mistake) : result.findings.broken.length === 0)
    process.stdout.write(describeResult(result, mistake))
  }
  let current: Rig | undefined
  const inRig = async (alterations: readonly string[], work: (rig: Rig) => Promise<void>) => {
    const rig = await Rig.start({ backend, scale, alterations })
    current = rig
    await work(rig).finally(() => rig.stop())
  }
  // Whoever interrupts a round is left with none of its processes.
  const interrupt = async () => {
    await current?.stop()
    await backend.stop()
    process.exit(1)
  }
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  try {
    const possible = cases.filter((faultCase) => isFor(faultCase, name))
    if (!hasMistakes) {
      await inRig([], async (rig) => {
        for (const faultCase of possible) await run(rig, faultCase)
      })
    } else {
      for (const mistake of MISTAKES) {
        const { alteration, caseName, backends = BACKEND_NAMES } = mistake
        const faultCase = possible.find((each) => each.name === caseName)
        if (faultCase && backends.includes(name)) await inRig([alteration], (rig) => run(rig, faultCase, mistake))
      }
    }
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
    await backend.stop()
  }
  return isGood
}

function isNoticed({ findings }: CaseResult, { shows }: Mistake): boolean {
  return findings.broken.some((sentence) => sentence.includes(shows))
}

function describeResult(result: CaseResult, mistake: Mistake | undefined): string {
  const { name, backend, findings, seconds } = result
  const { rounds, lost, duplicates, longestMs, broken } = findings
  const verdict = broken.length === 0 ? 'holds' : 'BROKEN'
  const cells = [name, backend, rounds, lost, duplicates, longestMs ?? '', seconds.toFixed(1), verdict]
  const notice = mistake ? ` with ${mistake.alteration}: ${isNoticed(result, mistake) ? 'noticed' : 'NOT NOTICED'}` : ''
  const details = [...new Set(broken)].slice(0, 5).map((sentence) => `    ${sentence}\n`)
  return `${formatRow(cells)}${notice}\n${details.join('')}`
}

function formatRow(cells: readonly (string | number)[]): string {
  return cells.map((cell, index) => String(cell).padEnd(ROW[index] ?? 0)).join(' ')
}

/** Progress goes where it does not end up in the table. */
function note(progress: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${progress}\n`)
}

// The rig has connections of its own to a store that is killed.
surviveLostConnections()
process.exitCode = await main()
