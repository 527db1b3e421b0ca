/** A fresh node behind the server for one scenario. */
export interface ScenarioNode {
  address: string
  /** The only key it accepts. */
  key: string
  /** What it was asked and should not have been. */
  violations: readonly string[]
  /** A real node's values differ from run to run where a vector says so. */
  isReal: boolean
  stop(): Promise<void>
}
