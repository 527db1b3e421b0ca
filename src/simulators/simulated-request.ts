import type { IncomingHttpHeaders } from 'node:http2'
import type { Answer } from './answer.ts'
import type { SimulatedConnection } from './connection.ts'
import type { WireFault } from './faults.ts'

/** A complete request. */
export interface SimulatedRequest {
  method: string
  /** Includes the query. */
  path: string
  headers: IncomingHttpHeaders
  body: Buffer
  connection: SimulatedConnection
}

/** The reaction of a handler to a request. Without an answer, none is sent. */
export interface Reaction {
  answer?: Answer
  wire?: WireFault | undefined
  /** The targets of a request to send; empty unless given. */
  targets?: readonly string[]
  /** The targets that got the push; empty unless given. */
  accepted?: readonly string[]
}

/** How a request to send was treated. */
export interface Treatment {
  readonly targets: readonly string[]
  readonly accepted: readonly string[]
  readonly answer: Answer | undefined
  /** Whether the client has the answer. False until the stream of the request has ended. */
  readonly isAnswered: boolean
}
