import type { IncomingHttpHeaders } from 'node:http2'
import type { Answer } from './answer.ts'
import type { SimulatedConnection } from './connection.ts'
import type { WireFault } from './faults.ts'

/** A request to a simulator with its whole body. */
export interface SimulatedRequest {
  method: string
  /** The path, with the query. */
  path: string
  headers: IncomingHttpHeaders
  body: Buffer
  connection: SimulatedConnection
}

/** The reaction of a simulator's handler to a request. If it has no answer, none is sent. */
export interface Reaction {
  answer?: Answer
  wire?: WireFault | undefined
  /** The targets of the request, if it is a request to send; empty unless given. */
  targets?: readonly string[]
  /** The targets that got the push; empty unless given. */
  accepted?: readonly string[]
}

/** How the simulator treated a request to send, for tests. */
export interface Treatment {
  readonly targets: readonly string[]
  readonly accepted: readonly string[]
  readonly answer: Answer | undefined
  /** Whether the client has received the answer. False until the stream of the request has ended. */
  readonly isAnswered: boolean
}
