// The streams of a session and how they end. A stream is one request:
//
//   open ──(END_STREAM of the answer)──▶ answered
//   open ──(deadline | abort | malformed answer)──▶ RST_STREAM sent, failed
//   open ──(RST_STREAM, GOAWAY below its id, connection gone)──▶ failed
//
// What leaves `open` is forgotten: frames that still come for it are counted by the flood guard and ignored. Each request
// that `open` took is settled exactly once.
import type { ByteWriter } from '../frames/byte-writer.ts'
import { writeRstStream } from '../frames/control-frames.ts'
import { ERROR, MAX_INT31 } from '../frames/frame-constants.ts'
import { ProtocolViolation } from '../frames/protocol-violation.ts'
import { Http2Error } from '../http2-error.ts'
import type { FloodGuard } from './flood-guard.ts'
import type { Http2Stream } from './http2-stream.ts'
import type { RequestRun } from './request-source.ts'
import type { SendFlow } from './send-flow.ts'
import { StreamTable } from './stream-table.ts'

export interface OpenStreamsDeps {
  out: ByteWriter
  sendFlow: SendFlow
  guard: FloodGuard
  requestTimeoutMs: number
  firstStreamId: number
}

export class OpenStreams {
  /** Requests that were answered, whatever the status. */
  answered = 0
  /** The id of the stream that is opened next. */
  nextId: number
  readonly #deps: OpenStreamsDeps
  readonly #table = new StreamTable()

  constructor(deps: OpenStreamsDeps) {
    this.#deps = deps
    this.nextId = deps.firstStreamId
  }

  get size(): number {
    return this.#table.size
  }

  /** RFC 9113 section 5.1.1: ids are not used twice. */
  get idsLeft(): number {
    return (MAX_INT31 - this.nextId) / 2 + 1
  }

  /** The request is on its way, on the stream `nextId`. */
  open(run: RequestRun, index: number, nowMs: number): Http2Stream {
    const stream = this.#table.open(this.nextId, run, index, nowMs + this.#deps.requestTimeoutMs)
    this.nextId += 2
    return stream
  }

  /** Undefined for a stream that is closed already. @throws ProtocolViolation for one that was never opened */
  find(streamId: number): Http2Stream | undefined {
    const stream = this.#table.get(streamId)
    if (stream) return stream
    // Section 5.1: even ids are the server's, who may not push; higher ones are idle.
    if (streamId % 2 === 0 || streamId >= this.nextId)
      throw new ProtocolViolation(ERROR.protocolError, 'a frame for a stream that is not open')
    this.#deps.guard.spend()
    return undefined
  }

  /** Undefined for one that is not open, whatever its id. */
  peek(streamId: number): Http2Stream | undefined {
    return this.#table.get(streamId)
  }

  /** The answer is whole, or as much of it as is kept. */
  finish(stream: Http2Stream, isWhole: boolean): void {
    // Section 8.1: the server may answer before it has read the request. Neither side needs the rest of the other.
    if (!isWhole || stream.unsentBody) writeRstStream(this.#deps.out, stream.id, ERROR.cancel)
    this.#deps.sendFlow.forget(stream)
    this.#table.remove(stream)
    this.#deps.guard.onAnswer()
    this.answered++
    stream.run?.answered(stream.index, stream)
    this.#table.recycle(stream)
  }

  /** Section 8.1.1: a malformed answer ends its stream, not the connection. */
  resetMalformed(stream: Http2Stream): void {
    this.reset(stream, ERROR.protocolError, new Http2Error('ambiguous', 'answer_invalid'))
  }

  reset(stream: Http2Stream, code: number, error: Http2Error): void {
    writeRstStream(this.#deps.out, stream.id, code)
    this.fail(stream, error)
  }

  fail(stream: Http2Stream, error: Http2Error): void {
    const { run, index } = stream
    this.#deps.sendFlow.forget(stream)
    this.#table.remove(stream)
    this.#table.recycle(stream)
    run?.failed(index, error)
  }

  /** Fails what is beyond its deadline; returns how many those were. */
  expire(nowMs: number): number {
    let expired = 0
    for (let stream = this.#table.oldest; stream && stream.deadlineMs <= nowMs; stream = this.#table.oldest) {
      this.reset(stream, ERROR.cancel, new Http2Error('ambiguous', 'timeout'))
      expired++
    }
    return expired
  }

  cancel(run: RequestRun): void {
    for (const stream of this.#table.list()) {
      if (stream.run === run) this.reset(stream, ERROR.cancel, new Http2Error('aborted', 'aborted'))
    }
  }

  /** Fails the streams above an id. */
  failAbove(streamId: number, error: Http2Error): void {
    for (const stream of this.#table.list()) {
      if (stream.id > streamId) this.fail(stream, error)
    }
  }
}
