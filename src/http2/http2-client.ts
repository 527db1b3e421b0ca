// The HTTP/2 client as providers see it. A batch is many requests with shared headers. The shared fields are encoded
// once, the other parts are written directly into the send buffer, and answers are read from the receive buffer. A
// request allocates nothing.
import type { Http2Error } from './http2-error.ts'

/** Appends to the body of one request. */
export interface BodyWriter {
  /** Appends bytes. */
  bytes(bytes: Uint8Array): void
  /** Appends a text as UTF-8. */
  text(text: string): void
}

/** Adds header fields to one request of a batch. */
export interface FieldWriter {
  /**
   * The name must be in lower case, and the value without line breaks. Otherwise the request fails with
   * `request_invalid`.
   */
  field(name: string, value: string): void
}

/** The answer to one request. Valid during the callback only: the client reuses the object. */
export interface Http2Answer {
  readonly status: number
  /** The first value of a header that the batch named in `answerHeaders`. */
  header(name: string): string | undefined
  /** Bytes of the body that are kept, at most `maxAnswerBytes` of the batch. */
  readonly bodyLength: number
  /** The kept part of the body as UTF-8. */
  bodyText(): string
  /** A copy of the kept part of the body. */
  bodyBytes(): Buffer
}

/** The permission to send requests. It ends unless it is renewed, and may be renewed after its end. */
export interface Confirmation {
  /** The time of `performance.now()`, in ms, until which requests may be sent. */
  readonly untilMs: number
  /**
   * Asks for a later `untilMs`. Resolves when it has changed, when the requests of the batch are withdrawn, or when its
   * signal aborts. Never rejects.
   */
  renewed(): Promise<void>
}

/** Header fields by name in lower case, without pseudo-headers. */
export type HeaderFields = Readonly<Record<string, string>>

/** Many requests with shared headers. Each request has an index, from 0. */
export interface Http2Batch {
  /** Number of requests. */
  readonly count: number
  /** POST unless given. */
  readonly method?: string
  /** The path of all requests, or of each one. */
  readonly path: string | ((index: number) => string)
  /** The header fields of all requests. */
  readonly headers: HeaderFields
  /** Adds the header fields of one request. */
  readonly writeFields?: (index: number, fields: FieldWriter) => void
  /** Writes the body of one request. Called again when a request is sent again. */
  readonly writeBody?: (index: number, body: BodyWriter) => void
  /** Names of the headers to read from answers, in lower case. All others are skipped. */
  readonly answerHeaders?: readonly string[]
  /** Bytes of an answer's body that are kept, less than 1 MB; 64 KB unless given. */
  readonly maxAnswerBytes?: number
  /** Fails the incomplete requests with `aborted`. */
  readonly signal: AbortSignal
  /** Called before a request is sent. A withdrawn request is not sent and fails with `aborted`. */
  readonly isWithdrawn?: ((index: number) => boolean) | undefined
  /**
   * Called before a later part of a body is sent, which had to wait for the server. If it returns true, the request is
   * reset and queued again. `isWithdrawn` unless given.
   */
  readonly isOutdated?: ((index: number) => boolean) | undefined
  /** Requests are sent while it is valid, and remain queued otherwise. Always valid unless given. */
  readonly confirmation?: Confirmation | undefined
  /** The server answered, with any status. */
  onAnswer(index: number, answer: Http2Answer): void
  /** The request has no answer. */
  onFailure(index: number, error: Http2Error): void
}

/** A single request. */
export interface Http2Request {
  /** POST unless given. */
  method?: string
  path: string
  headers: HeaderFields
  /** No body unless given. */
  body?: Uint8Array
  /** Names of the headers to read from the answer, in lower case. */
  answerHeaders?: readonly string[]
  /** Fails the request with `aborted`. */
  signal: AbortSignal
}

/** The answer to a single request. */
export interface Http2Response {
  status: number
  /** The headers that the request named in `answerHeaders` and that the answer has. */
  headers: ReadonlyMap<string, string>
  /** The first 64 KB of the body. */
  body: Buffer
}

/** Sends requests to one origin. Implemented by `Http2Pool`; tests compare it with a client on Node's http2. */
export interface Http2Client {
  /**
   * Sends the requests of a batch in the order of their indices, as streams become free. Calls `onAnswer` or
   * `onFailure` exactly once per request, in any order, and resolves when all requests are complete. Rejects then with
   * the first error that a callback threw.
   *
   * A request that the server certainly did not process is sent again at most twice, on another connection if possible.
   */
  send(batch: Http2Batch): Promise<void>

  /** Sends one request. @throws Http2Error when there is no answer */
  request(request: Http2Request): Promise<Http2Response>

  /** Fails queued requests with `closed`, and closes each connection after its last answer. Safe to call twice. */
  close(): Promise<void>
}
