// Reads the frames of answers: HEADERS, DATA and RST_STREAM on streams. Section numbers are those of RFC 9113.
import type { ByteWriter } from '../frames/byte-writer.ts'
import { writeWindowUpdate } from '../frames/control-frames.ts'
import { ERROR } from '../frames/frame-constants.ts'
import type { AnswerHandlers } from '../frames/frame-decoder.ts'
import { Http2Error } from '../http2-error.ts'
import { readAnswerFields } from './answer-fields.ts'
import type { FloodGuard } from './flood-guard.ts'
import type { Http2Stream } from './http2-stream.ts'
import type { OpenStreams } from './open-streams.ts'
import { ReceiveFlow } from './receive-flow.ts'

/** Parts of the session that answers use. */
export interface AnswerFramesDeps {
  out: ByteWriter
  streams: OpenStreams
  guard: FloodGuard
}

/** Completes or fails the request of a stream by the frames of its answer. */
export class AnswerFrames implements AnswerHandlers {
  readonly #out: ByteWriter
  readonly #streams: OpenStreams
  readonly #guard: FloodGuard
  readonly #receiveFlow = new ReceiveFlow()

  constructor(deps: AnswerFramesDeps) {
    this.#out = deps.out
    this.#streams = deps.streams
    this.#guard = deps.guard
  }

  onHeaderBlock(streamId: number, bytes: Buffer, from: number, end: number, isLast: boolean): void {
    const stream = this.#streams.find(streamId)
    if (!stream?.source) return
    if (stream.status !== 0) {
      // Trailers are not read, but they must end the stream (section 8.1).
      if (isLast) this.#streams.complete(stream, true)
      else this.#streams.resetMalformed(stream)
      return
    }
    const isWellFormed = readAnswerFields(bytes, from, end, stream.source.wanted, stream)
    if (!isWellFormed) this.#streams.resetMalformed(stream)
    else if (stream.status < 200) this.#onInformational(stream, isLast)
    else if (isLast) this.#streams.complete(stream, true)
  }

  onData(streamId: number, bytes: Buffer, from: number, end: number, flowBytes: number, isLast: boolean): void {
    const increment = this.#receiveFlow.onData(flowBytes)
    if (increment > 0) writeWindowUpdate(this.#out, 0, increment)
    if (from === end) this.#guard.consume()
    const stream = this.#streams.find(streamId)
    if (!stream) return
    // Section 8.1: DATA must not precede the headers of the answer.
    if (stream.status === 0) this.#streams.resetMalformed(stream)
    else if (!stream.appendBody(bytes, from, end) || isLast) this.#streams.complete(stream, isLast)
  }

  onReset(streamId: number, code: number): void {
    const stream = this.#streams.find(streamId)
    if (!stream) return
    // Section 8.7: the server has not processed a refused stream, so the request is safe to send again. A refusal after
    // the headers of an answer contradicts that.
    const isRefused = code === ERROR.refusedStream && stream.status === 0
    this.#streams.fail(
      stream,
      isRefused ? new Http2Error('unsent', 'refused_stream') : new Http2Error('ambiguous', 'stream_reset'),
    )
  }

  #onInformational(stream: Http2Stream, isLast: boolean): void {
    this.#guard.consume()
    // Section 8.1: an informational answer can't end the stream. Section 8.6: HTTP/2 has no 101.
    if (isLast || stream.status === 101) this.#streams.resetMalformed(stream)
    else stream.clearHeaders()
  }
}
