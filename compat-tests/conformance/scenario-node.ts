/** A new node for one scenario. */
export interface ScenarioNode {
  address: string
  /** The API key of the node. */
  key: string
  /** Requests that centripush must not pass on. */
  violations: readonly string[]
  /** A real node: values differ from run to run at the pointers in `Vector.volatile`. */
  isReal: boolean
  stop(): Promise<void>
}
