// One request and its answer. Streams are used again for one request after the other, so that a request costs no
// allocation. The table that a stream is in (stream-table.ts) links it to its neighbours.

import type { Http2Answer } from '../http2-client.ts'
import type { AnswerFields } from './answer-fields.ts'
import type { RequestRun } from './request-source.ts'

/** Bytes of an answer that are kept unless a batch says so: few suffice, and the rest must not fill the memory. */
export const MAX_BODY_BYTES = 64 * 1024
const FIRST_BODY_BYTES = 256
/** What a stream keeps for its next answer. */
const MAX_KEPT_BYTES = 4 * 1024

const EMPTY = Buffer.alloc(0)

export class Http2Stream implements Http2Answer, AnswerFields {
  id = 0
  run: RequestRun | undefined
  index = 0
  deadlineMs = 0
  /** Neighbours in the order of opening, which is that of the deadlines. */
  older: Http2Stream | undefined
  newer: Http2Stream | undefined
  /** How much of the body the peer takes on this stream; kept up only while some of it waits. */
  sendWindow = 0
  /** The part of the body that waits for the peer's flow control. */
  unsentBody: Buffer | undefined
  /** 0 until the answer's head is here. */
  status = 0
  bodyLength = 0
  #body: Buffer = EMPTY
  readonly #values: (string | undefined)[] = []

  /** Begins with a request, forgetting the last one. */
  reset(id: number, run: RequestRun, index: number, deadlineMs: number): void {
    this.id = id
    this.run = run
    this.index = index
    this.deadlineMs = deadlineMs
    this.status = 0
    this.bodyLength = 0
  }

  /** Lets go of what belongs to the request. */
  release(): void {
    this.run = undefined
    this.unsentBody = undefined
    if (this.#body.length > MAX_KEPT_BYTES) this.#body = EMPTY
    if (this.#values.length > 0) this.#values.length = 0
  }

  keep(place: number, value: string): void {
    this.#values[place] ??= value
  }

  header(name: string): string | undefined {
    const place = this.run?.wanted.names.indexOf(name) ?? -1
    return place < 0 ? undefined : this.#values[place]
  }

  /** An informational answer (1xx) is followed by another head. */
  forgetHead(): void {
    this.status = 0
    this.#values.length = 0
  }

  /** Adds to the body; false when it is longer than what is kept of it. */
  appendBody(bytes: Buffer, from: number, end: number): boolean {
    const limit = this.run?.batch.maxAnswerBytes ?? MAX_BODY_BYTES
    const length = Math.min(end - from, limit - this.bodyLength)
    if (this.bodyLength + length > this.#body.length) this.#growBody(this.bodyLength + length)
    bytes.copy(this.#body, this.bodyLength, from, from + length)
    this.bodyLength += length
    return length === end - from
  }

  bodyText(): string {
    return this.#body.toString('utf8', 0, this.bodyLength)
  }

  bodyBytes(): Buffer {
    return Buffer.from(this.#body.subarray(0, this.bodyLength))
  }

  #growBody(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, FIRST_BODY_BYTES, this.#body.length * 2))
    this.#body.copy(grown, 0, 0, this.bodyLength)
    this.#body = grown
  }
}
