// One request and its answer. Stream objects are reused, so a request costs no allocation. The stream table
// (stream-table.ts) links the open streams.
import type { Http2Answer } from '../http2-client.ts'
import type { AnswerFields } from './answer-fields.ts'
import type { RequestSource } from './request-source.ts'

/** Default of `maxAnswerBytes`. Answers of push services are small, and larger ones must not fill the memory. */
const DEFAULT_MAX_BODY_BYTES = 64 * 1024
/** Initial size of the body buffer. */
const FIRST_BODY_BYTES = 256
/** A larger body buffer is not kept for the next request. */
const MAX_KEPT_BYTES = 4 * 1024

const EMPTY = Buffer.alloc(0)

/** An open stream. It is also the answer that callbacks receive, valid during the callback. */
export class Http2Stream implements Http2Answer, AnswerFields {
  id = 0
  /** The batch of the request; undefined while the object is free. */
  source: RequestSource | undefined
  /** Index of the request in its batch. */
  index = 0
  /** The request fails with `timeout` at this time. */
  deadlineMs = 0
  /** Neighbours in the order of opening, which is also the order of deadlines. */
  older: Http2Stream | undefined
  newer: Http2Stream | undefined
  /** Send window of the stream. Tracked only while a part of the body is unsent. */
  sendWindow = 0
  /** The part of the body that exceeds the send windows. */
  unsentBody: Buffer | undefined
  /** 0 until the headers of the answer have arrived. */
  status = 0
  /** Received bytes of the body that are kept. */
  bodyLength = 0
  #body: Buffer = EMPTY
  /** The body as text, decoded at the first call: the pool and the batch both read it. */
  #text: string | undefined
  readonly #values: (string | undefined)[] = []

  /** Assigns the object to a request. */
  assign(id: number, source: RequestSource, index: number, deadlineMs: number): void {
    this.id = id
    this.source = source
    this.index = index
    this.deadlineMs = deadlineMs
    this.status = 0
    this.bodyLength = 0
    this.#text = undefined
  }

  /** Removes all references to the request. */
  clear(): void {
    this.source = undefined
    this.unsentBody = undefined
    this.#text = undefined
    if (this.#body.length > MAX_KEPT_BYTES) this.#body = EMPTY
    if (this.#values.length > 0) this.#values.length = 0
  }

  /** Stores the value of a wanted header. The first value of a header wins. */
  setHeader(slot: number, value: string): void {
    this.#values[slot] ??= value
  }

  /** The first value of a header that the batch named in `answerHeaders`. */
  header(name: string): string | undefined {
    const slot = this.source?.wanted.names.indexOf(name) ?? -1
    return slot < 0 ? undefined : this.#values[slot]
  }

  /** Removes the headers of an informational answer (1xx), which precede those of the final one. */
  clearHeaders(): void {
    this.status = 0
    this.#values.length = 0
  }

  /** Appends to the body, up to `maxAnswerBytes`. False when bytes were discarded. */
  appendBody(bytes: Buffer, from: number, end: number): boolean {
    const limit = this.source?.batch.maxAnswerBytes ?? DEFAULT_MAX_BODY_BYTES
    const length = Math.min(end - from, limit - this.bodyLength)
    if (this.bodyLength + length > this.#body.length) this.#growBody(this.bodyLength + length)
    bytes.copy(this.#body, this.bodyLength, from, from + length)
    this.bodyLength += length
    this.#text = undefined
    return length === end - from
  }

  /** The kept part of the body as UTF-8. */
  bodyText(): string {
    this.#text ??= this.#body.toString('utf8', 0, this.bodyLength)
    return this.#text
  }

  /** A copy of the kept part of the body. */
  bodyBytes(): Buffer {
    return Buffer.from(this.#body.subarray(0, this.bodyLength))
  }

  #growBody(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, FIRST_BODY_BYTES, this.#body.length * 2))
    this.#body.copy(grown, 0, 0, this.bodyLength)
    this.#body = grown
  }
}
