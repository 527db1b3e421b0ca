import type { IncomingMessage } from 'node:http'
import type { MethodTable } from '../methods/table.ts'
import type { Logger } from '../observability/log.ts'
import type { Upstream } from '../upstream/upstream.ts'

/** What the handlers of the API work with. */
export interface ApiDeps {
  methods: MethodTable
  /** Undefined when no node is configured: its methods answer 108. */
  upstream: Upstream | undefined
  /** Whether the request carries the key; always true where none is asked for. */
  hasKey(incoming: IncomingMessage): boolean
  /** Errors as HTTP statuses for every request. */
  transportErrors: boolean
  maxRequestBytes: number
  logger: Logger
}
