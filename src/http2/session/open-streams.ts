// The streams of a session and how they end. One stream is one request:
//
//   open ──(END_STREAM of the answer)──▶ answered
//   open ──(deadline | abort | interruption | malformed answer)──▶ failed, RST_STREAM sent
//   open ──(RST_STREAM | GOAWAY with a lower id | connection closed)──▶ failed
//
// Closed streams are not stored. Later frames on them are ignored, but count in the flood guard. Each opened request
// ends with exactly one call, `answered` or `failed`.
import type { ByteWriter } from '../frames/byte-writer.ts'
import { writeRstStream } from '../frames/control-frames.ts'
import { ERROR, MAX_INT31 } from '../frames/frame-constants.ts'
import { ProtocolViolation } from '../frames/protocol-violation.ts'
import { Http2Error } from '../http2-error.ts'
import type { FloodGuard } from './flood-guard.ts'
import type { Http2Stream } from './http2-stream.ts'
import type { RequestSource } from './request-source.ts'
import type { SendFlow } from './send-flow.ts'
import { StreamTable } from './stream-table.ts'

/** Parts of the session that its streams use. */
export interface OpenStreamsDeps {
  out: ByteWriter
  sendFlow: SendFlow
  guard: FloodGuard
  /** From the opening of a stream to the end of its answer. */
  requestTimeoutMs: number
  /** Odd (RFC 9113 section 5.1.1). */
  firstStreamId: number
}

/** Opens streams, and closes each in the way that the state machine above shows. */
export class OpenStreams {
  /** Number of answered requests, of any status. */
  answered = 0
  /** Id of the next stream. */
  nextId: number
  readonly #deps: OpenStreamsDeps
  readonly #table = new StreamTable()

  constructor(deps: OpenStreamsDeps) {
    this.#deps = deps
    this.nextId = deps.firstStreamId
  }

  /** Number of open streams. */
  get size(): number {
    return this.#table.size
  }

  /** Number of unused stream ids. Ids can't be reused (RFC 9113 section 5.1.1). */
  get idsLeft(): number {
    return (MAX_INT31 - this.nextId) / 2 + 1
  }

  /** Opens the stream `nextId` for a request that was written with this id. */
  open(source: RequestSource, index: number, nowMs: number): Http2Stream {
    const stream = this.#table.open(this.nextId, source, index, nowMs + this.#deps.requestTimeoutMs)
    this.nextId += 2
    return stream
  }

  /** The stream of a received frame; undefined when it is closed. @throws ProtocolViolation when it was never opened */
  find(streamId: number): Http2Stream | undefined {
    const stream = this.#table.get(streamId)
    if (stream) return stream
    // Section 5.1: even ids belong to the server, which must not push. Higher ids are idle.
    if (streamId % 2 === 0 || streamId >= this.nextId)
      throw new ProtocolViolation(ERROR.protocolError, 'frame on an idle stream')
    this.#deps.guard.consume()
    return undefined
  }

  /** The open stream with this id; undefined for all other ids. */
  get(streamId: number): Http2Stream | undefined {
    return this.#table.get(streamId)
  }

  /** The answer is complete, or as much of it as the batch keeps. */
  complete(stream: Http2Stream, isWhole: boolean): void {
    // Section 8.1: the server may answer before it has read the request. RST_STREAM then stops both directions.
    if (!isWhole || stream.unsentBody) writeRstStream(this.#deps.out, stream.id, ERROR.cancel)
    this.#deps.sendFlow.remove(stream)
    this.#table.remove(stream)
    this.#deps.guard.onAnswer()
    this.answered++
    stream.source?.answered(stream.index, stream)
    this.#table.recycle(stream)
  }

  /** Resets the stream of a malformed answer. The connection remains open (section 8.1.1). */
  resetMalformed(stream: Http2Stream): void {
    this.reset(stream, ERROR.protocolError, new Http2Error('ambiguous', 'answer_invalid'))
  }

  /** Resets the stream of a request without its last bytes: the peer can't process it (section 8.1). */
  interrupt(stream: Http2Stream): void {
    this.reset(stream, ERROR.cancel, new Http2Error('unsent', 'interrupted'))
  }

  /** Sends RST_STREAM with `code` and fails the request. */
  reset(stream: Http2Stream, code: number, error: Http2Error): void {
    writeRstStream(this.#deps.out, stream.id, code)
    this.fail(stream, error)
  }

  /** Closes the stream and fails its request. */
  fail(stream: Http2Stream, error: Http2Error): void {
    const { source, index } = stream
    this.#deps.sendFlow.remove(stream)
    this.#table.remove(stream)
    this.#table.recycle(stream)
    source?.failed(index, error)
  }

  /** Fails the requests past their deadline. Returns their number. */
  failOverdue(nowMs: number): number {
    let overdue = 0
    for (let stream = this.#table.oldest; stream && stream.deadlineMs <= nowMs; stream = this.#table.oldest) {
      this.reset(stream, ERROR.cancel, new Http2Error('ambiguous', 'timeout'))
      overdue++
    }
    return overdue
  }

  /** Fails the open requests of a batch with `aborted`. */
  abort(source: RequestSource): void {
    for (const stream of this.#table.list()) {
      if (stream.source === source) this.reset(stream, ERROR.cancel, new Http2Error('aborted', 'aborted'))
    }
  }

  /** Fails the requests on all streams with a higher id. */
  failAbove(streamId: number, error: Http2Error): void {
    for (const stream of this.#table.list()) {
      if (stream.id > streamId) this.fail(stream, error)
    }
  }
}
