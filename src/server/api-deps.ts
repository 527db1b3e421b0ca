import type { IncomingMessage } from 'node:http'
import type { MethodTable } from '../methods/table.ts'
import type { Logger } from '../observability/log.ts'
import type { NodeApi } from '../upstream/node-api.ts'
import type { BodyBudget } from './body-budget.ts'
import type { LargeRequests } from './large-requests.ts'
import type { OverloadLimits } from './overload-limit.ts'

/** Dependencies of the API's handlers. */
export interface ApiDeps {
  methods: MethodTable
  /** Undefined without a node: upstream methods answer with error 108. */
  upstream: NodeApi | undefined
  /** Whether the request has the API key. Always true when none is required. */
  hasKey(incoming: IncomingMessage): boolean
  /** Use the transport error mode for every request. */
  transportErrors: boolean
  /** Whether error objects contain the reason. */
  errorDetails: boolean
  /** Limit of a request body. */
  maxRequestBytes: number
  /** Limit of all request bodies that are read here. */
  bodies: BodyBudget
  /** Limits of the push calls in progress. Undefined in the process for large requests, which runs one at a time. */
  overload: OverloadLimits | undefined
  /** The process for large requests; undefined: they are answered in this process. */
  large: LargeRequests | undefined
  /**
   * Runs the handler of a request with a body. In the process for large requests, one runs at a time: while a body is
   * decoded, the answers of stores to other requests could not be read in time.
   */
  inTurn(handle: () => Promise<void>): Promise<void>
  logger: Logger
  /** The log of failed push commands. Their errors are mostly errors of the stores. */
  callLogger: Logger
}
