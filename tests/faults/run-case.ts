import { makeRandom } from '../queue/faults.ts'
import type { BackendName } from './backend.ts'
import type { FaultCase } from './fault-case.ts'
import { Findings } from './findings.ts'
import type { Rig } from './rig.ts'

/** The result of one case on one back-end. */
export interface CaseResult {
  name: string
  backend: BackendName
  seed: number
  findings: Findings
  seconds: number
}

/** Whether a case applies to a back-end. */
export function isFor({ backends }: FaultCase, backend: BackendName): boolean {
  return backends?.includes(backend) ?? true
}

/** Runs a case and ends its processes and sends. Never rejects: an error counts as a broken promise. */
export async function runCase(
  rig: Rig,
  faultCase: FaultCase,
  seed: number,
  note: (progress: string) => void = () => undefined,
): Promise<CaseResult> {
  const startedAtMs = Date.now()
  const findings = await runAndClear(rig, faultCase, seed, note).catch((error: unknown) => {
    const failed = new Findings()
    failed.broken.push(error instanceof Error ? error.message : String(error))
    return failed
  })
  const seconds = (Date.now() - startedAtMs) / 1000
  return { name: faultCase.name, backend: rig.backend.name, seed, findings, seconds }
}

async function runAndClear(rig: Rig, faultCase: FaultCase, seed: number, note: (progress: string) => void) {
  try {
    return await faultCase.run(rig, makeRandom(seed), note)
  } finally {
    await rig.clear()
  }
}
