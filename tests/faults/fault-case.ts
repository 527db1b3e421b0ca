import type { BackendName } from './backend.ts'
import type { Findings } from './findings.ts'
import type { Rig } from './rig.ts'

/** A fault, and the promise that has to hold in spite of it. */
export interface FaultCase {
  /** The name for `--only`. */
  name: string
  /** The promise, as a sentence. */
  promise: string
  /** The back-ends that the fault can happen on; absent for all. */
  backends?: readonly BackendName[]
  /**
   * Causes the fault as often as the rig's scale says, and counts the pushes. All random choices come from `random`
   * (0 to 1), so the same seed repeats them. `note` prints the progress. Rejects when a send or a process does not end.
   */
  run(rig: Rig, random: () => number, note: (progress: string) => void): Promise<Findings>
}
