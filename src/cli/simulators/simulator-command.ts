import type { FaultTable, Misbehaviour } from '../../simulators/faults.ts'

/** The options of the command line. */
export interface SimulatorOptions {
  directory: string
  port: number
  misbehaviour: Misbehaviour
}

/** A running simulator. */
export interface RunningSimulator {
  origin: string
  /** The file of accepted pushes. */
  log: string
  /** Its section under `push_notifications`, as lines of YAML. */
  configuration: readonly string[]
  /** Further lines to print. */
  notes?: readonly string[]
  stop(): Promise<void>
}

/** A simulator that `centripush simulate` can run. */
export interface SimulatorCommand {
  /** The name of the real provider. */
  standsFor: string
  /** The faults that a target can choose by its name. */
  faults: FaultTable
  start(options: SimulatorOptions): Promise<RunningSimulator>
}
