import type { FaultTable, Misbehaviour } from '../../simulators/faults.ts'

/** What the command line says to a simulator. */
export interface SimulatorOptions {
  directory: string
  port: number
  misbehaviour: Misbehaviour
}

/** A simulator that runs. */
export interface RunningSimulator {
  origin: string
  /** File of what it accepted. */
  log: string
  /** Its section under `push_notifications`, as lines of YAML. */
  configuration: readonly string[]
  /** What else is good to know, as lines; empty for nothing. */
  notes?: readonly string[]
  stop(): Promise<void>
}

/** A simulator that `centripush simulate` can run. */
export interface SimulatorCommand {
  /** For whom it stands in. */
  standsFor: string
  /** What its targets can ask for. */
  faults: FaultTable
  start(options: SimulatorOptions): Promise<RunningSimulator>
}
