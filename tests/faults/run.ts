// npm run test:faults: every fault on every back-end, as a table.
import { parseArgs } from 'node:util'
import { surviveLostConnections } from '../../src/database/lost-connections.ts'
import { formatCounts } from '../support/format-counts.ts'
import { withLeakCheck } from '../support/run-leaks.ts'
import { parseSeed, SEED } from '../support/seed.ts'
import type { BackendName } from './backend.ts'
import { FAULT_CASES } from './cases.ts'
import type { FaultCase } from './fault-case.ts'
import { MISTAKES, type Mistake } from './mistakes.ts'
import { describeResult, HEADER, hasPassed } from './report.ts'
import { Rig } from './rig.ts'
import { isFor, runCase } from './run-case.ts'
import { FULL, PLANTED, type Scale, SHORT } from './scale.ts'
import { BACKEND_NAMES, startBackend } from './start-backend.ts'

const HELP = `npm run test:faults -- [--full] [--mistakes] [--only CASE] [--backend NAME] [--seed N]

Kills and stops real processes, and counts the pushes that were lost or sent twice.

  --full          real leases and a hundred kills: hours instead of minutes
  --mistakes      plants mistakes in the servers, and checks that the cases notice them
  --only CASE     ${FAULT_CASES.map(({ name }) => name).join(', ')}
  --backend NAME  ${BACKEND_NAMES.join(', ')}
  --seed N        the seed of the random choices, or 'random' for a new one; without it every run has the same seed
`

interface Round {
  scale: Scale
  hasMistakes: boolean
  cases: readonly FaultCase[]
  seed: number
}

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
  const seed = values.seed === undefined ? SEED : parseSeed(values.seed)
  const scale = values.full ? FULL : values.mistakes ? PLANTED : SHORT
  const round = { scale, hasMistakes: values.mistakes, cases, seed }
  const run = async () => {
    process.stdout.write(`${new Date().toISOString()} ${scale.name} round, seed ${seed}\n${HEADER}\n`)
    const passed: boolean[] = []
    for (const backend of backends) passed.push(...(await runOn(backend, round)))
    process.stdout.write(formatCounts(passed))
    return passed.every(Boolean) ? 0 : 1
  }
  // The logs of a full round are too long to be kept and searched.
  return values.full ? run() : withLeakCheck(run)
}

/** Prints each case as soon as it has ended. @returns which of them passed */
async function runOn(name: BackendName, { scale, hasMistakes, cases, seed }: Round): Promise<boolean[]> {
  const backend = await startBackend(name)
  const passed: boolean[] = []
  const run = async (rig: Rig, faultCase: FaultCase, mistake?: Mistake) => {
    const result = await runCase(rig, faultCase, seed, (progress) => note(`${faultCase.name} on ${name}: ${progress}`))
    passed.push(hasPassed(result, mistake))
    process.stdout.write(describeResult(result, mistake))
  }
  let current: Rig | undefined
  const inRig = async (alterations: readonly string[], work: (rig: Rig) => Promise<void>) => {
    const rig = await Rig.start({ backend, scale, alterations })
    current = rig
    await work(rig).finally(() => rig.stop())
  }
  // An interrupted round leaves none of its processes behind. A signal may come twice, because tsx passes it on too.
  let isInterrupted = false
  const interrupt = async () => {
    if (isInterrupted) return
    isInterrupted = true
    await current?.stop()
    await backend.stop()
    process.exit(1)
  }
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
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
  return passed
}

/** Progress goes to standard error, so that the table on standard output stays a table. */
function note(progress: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${progress}\n`)
}

// The rig itself is connected to a store that the cases kill.
surviveLostConnections()
process.exitCode = await main()
