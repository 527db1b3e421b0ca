import type { IncomingMessage } from 'node:http'
import type { MethodTable } from '../methods/table.ts'
import type { Logger } from '../observability/log.ts'
import type { NodeApi } from '../upstream/node-api.ts'

/** Dependencies of the API's handlers. */
export interface ApiDeps {
  methods: MethodTable
  /** Undefined without a node: upstream methods answer with error 108. */
  upstream: NodeApi | undefined
  /** Whether the request has the API key. Always true when none is required. */
  hasKey(incoming: IncomingMessage): boolean
  /** Use the transport error mode for every request. */
  transportErrors: boolean
  /** Limit of request bodies. */
  maxRequestBytes: number
  logger: Logger
  /** The log of failed push commands. Their errors are mostly errors of the stores. */
  callLogger: Logger
}
