import type { BackendName } from './backend.ts'
import type { Findings } from './findings.ts'
import type { Rig } from './rig.ts'

/** A fault, and what has to hold all the same. */
export interface FaultCase {
  /** For `--only`. */
  name: string
  /** What holds, as a sentence. */
  promise: string
  /** Where it can happen; absent: everywhere. */
  backends?: readonly BackendName[]
  /**
   * Brings the fault about as often as the rig's scale says. Everything random comes from `random` (0 to 1), so a seed
   * repeats it; `note` tells whoever watches how far it is. Rejects when something does not end that has to.
   */
  run(rig: Rig, random: () => number, note: (progress: string) => void): Promise<Findings>
}
