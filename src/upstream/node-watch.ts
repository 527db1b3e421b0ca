// Tells the operator whether the node is usable: at the start, and again when that changes.
import type { Logger } from '../observability/log.ts'
import { type Repetition, startRepeating } from '../timing/repeat.ts'
import type { NodeApi } from './node-api.ts'
import { describeNode, type NodeState } from './node-state.ts'

/** The time between two questions, in ms. */
const INTERVAL_MS = 15_000

interface Deps {
  api: Pick<NodeApi, 'call'>
  /** The base URL of the node, for the log. */
  address: string
  logger: Logger
  /** INTERVAL_MS unless given. */
  intervalMs?: number
}

/** Asks the node with the method `info`, and logs each change of its state. */
export class NodeWatch {
  readonly #deps: Deps
  readonly #repetition: Repetition
  #last = ''
  #isStopped = false

  constructor(deps: Deps) {
    this.#deps = deps
    this.#repetition = startRepeating({
      intervalMs: deps.intervalMs ?? INTERVAL_MS,
      startsAtOnce: true,
      work: async () => this.#log(await describeNode(deps.api)),
      onError: (error) => deps.logger.error({ err: error }, 'upstream: node not asked'),
    })
  }

  /** Ends the questions. One in progress ends with the connections to the node, and is not logged. */
  stop(): Promise<void> {
    this.#isStopped = true
    return this.#repetition.stop()
  }

  #log(state: NodeState): void {
    const { address, logger } = this.#deps
    if (this.#isStopped || JSON.stringify(state) === this.#last) return
    this.#last = JSON.stringify(state)
    if (state.isUsable) logger.info({ address, versions: state.versions }, 'upstream: node ready')
    else logger.warn({ address, cause: state.cause, mend: state.mend }, 'upstream: node not usable')
  }
}
