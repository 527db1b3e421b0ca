import type { FaultTable, Misbehaviour } from '../../simulators/faults.ts'

/** The options of a simulator from the command line. */
export interface SimulatorOptions {
  directory: string
  port: number
  misbehaviour: Misbehaviour
}

/** A running simulator. */
export interface RunningSimulator {
  origin: string
  /** The path of the log of accepted pushes. */
  log: string
  /** The lines of YAML for a server that uses the simulator: the provider's section under `push_notifications`. */
  configuration: readonly string[]
  /** Further lines to print at the start. */
  notes?: readonly string[]
  stop(): Promise<void>
}

/** A simulator that `centripush simulate` can run. */
export interface SimulatorCommand {
  /** The name of the provider that it simulates. */
  standsFor: string
  /** The faults that a target requests by starting with their words. */
  faults: FaultTable
  start(options: SimulatorOptions): Promise<RunningSimulator>
}
