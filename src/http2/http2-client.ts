// What a provider knows of this room. A batch is many requests that share their headers: what is the same for all is
// encoded once, what differs is written straight into the bytes that go out, and answers are read from the bytes that
// came in. Nothing is allocated per request.
import type { Http2Error } from './http2-error.ts'

/** Takes the bytes of one request's body, or of one text after another of it. */
export interface BodyWriter {
  bytes(bytes: Uint8Array): void
  /** As UTF-8. */
  text(text: string): void
}

/** Takes header fields that only one request of a batch has. */
export interface FieldWriter {
  /** A name in lower case and a value without line breaks; else the request fails with `request_invalid`. */
  field(name: string, value: string): void
}

/** The answer to one request. It belongs to the client: read it during the call, it is used again afterwards. */
export interface Http2Answer {
  readonly status: number
  /** The first value of a header that the batch asked for in `answerHeaders`. */
  header(name: string): string | undefined
  /** At most `maxAnswerBytes` of the batch are kept. */
  readonly bodyLength: number
  bodyText(): string
  /** A copy. */
  bodyBytes(): Buffer
}

/** Header fields by name in lower case, without pseudo-headers. */
export type HeaderFields = Readonly<Record<string, string>>

export interface Http2Batch {
  /** How many requests; each is known by its index, from 0. */
  readonly count: number
  /** POST unless given. */
  readonly method?: string
  /** The same for all, or that of one request. */
  readonly path: string | ((index: number) => string)
  readonly headers: HeaderFields
  /** Writes the header fields that only this request has. */
  readonly writeFields?: (index: number, fields: FieldWriter) => void
  /** Writes the body. May be called again for a request that the server did not act on. */
  readonly writeBody?: (index: number, body: BodyWriter) => void
  /** Names of the headers that are read from answers; all others are skipped. */
  readonly answerHeaders?: readonly string[]
  /** How much of an answer's body is kept, below 1 MB; 64 KB unless given. */
  readonly maxAnswerBytes?: number
  readonly signal: AbortSignal
  /** Asked before a request is sent; one that is withdrawn by then is not, and fails with `aborted`. */
  readonly isWithdrawn?: ((index: number) => boolean) | undefined
  onAnswer(index: number, answer: Http2Answer): void
  onFailure(index: number, error: Http2Error): void
}

export interface Http2Request {
  /** POST unless given. */
  method?: string
  path: string
  headers: HeaderFields
  /** None unless given. */
  body?: Uint8Array
  answerHeaders?: readonly string[]
  signal: AbortSignal
}

export interface Http2Response {
  status: number
  /** Those that were asked for and came. */
  headers: ReadonlyMap<string, string>
  /** At most 64 KB; what came after that is dropped. */
  body: Buffer
}

/** Requests to one origin. `Http2Pool` is it; tests have another one on Node's http2 to compare with. */
export interface Http2Client {
  /**
   * Sends the requests of a batch in the order of their indices, as streams become free. Calls `onAnswer` (whatever the
   * status) or `onFailure` exactly once per request, in any order; resolves when all are settled. Rejects with what
   * `onAnswer` or `onFailure` threw first, also when all are settled.
   *
   * What the server certainly did not act on is sent again a few times, on another connection where there is one; there
   * is still at most one answer. When `signal` aborts, the requests that are not settled yet fail with `aborted`.
   */
  send(batch: Http2Batch): Promise<void>

  /** One request. @throws Http2Error */
  request(request: Http2Request): Promise<Http2Response>

  /** Lets requests in flight finish, then closes the connections; what waits fails with `closed`. Safe to call twice. */
  close(): Promise<void>
}
