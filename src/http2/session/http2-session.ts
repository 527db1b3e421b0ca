// The protocol of one connection, without its socket: bytes come in with `receive`, bytes to send are written to `out`.
// Streams and how they end are in open-streams.ts, the form of frames in incoming-frames.ts.

import { ByteWriter } from '../frames/byte-writer.ts'
import * as control from '../frames/control-frames.ts'
import { ERROR, FLAG, MAX_INT31, SETTING } from '../frames/frame-constants.ts'
import { type FrameHandlers, IncomingFrames } from '../frames/frame-decoder.ts'
import { ProtocolViolation } from '../frames/protocol-violation.ts'
import { Http2Error } from '../http2-error.ts'
import { MAX_HEADER_LIST_BYTES, readAnswerFields } from './answer-fields.ts'
import { FloodGuard } from './flood-guard.ts'
import type { Http2Stream } from './http2-stream.ts'
import { OpenStreams } from './open-streams.ts'
import { PeerSettings } from './peer-settings.ts'
import { ReceiveFlow, STREAM_WINDOW_BYTES } from './receive-flow.ts'
import type { RequestRun } from './request-source.ts'
import { RequestWriter } from './request-writer.ts'
import { SendFlow } from './send-flow.ts'

/** What a connection wants to know. */
export interface SessionEvents {
  /** SETTINGS came: the first, which is the server's greeting, or later ones. */
  onPeerSettings(): void
  onPingAck(): void
  /** No new streams here. `code` of RFC 9113 section 7. */
  onGoaway(code: number): void
}

export interface SessionDeps {
  events: SessionEvents
  /** Our own limit, beside the peer's. */
  maxStreams: number
  requestTimeoutMs: number
  /** 1 but in tests of where the ids end. */
  firstStreamId?: number
}

export class Http2Session implements FrameHandlers {
  /** What is to be sent. */
  readonly out = new ByteWriter()
  readonly #deps: SessionDeps
  readonly #streams: OpenStreams
  readonly #peer = new PeerSettings()
  readonly #sendFlow = new SendFlow({ out: this.out, peer: this.#peer })
  readonly #receiveFlow = new ReceiveFlow()
  readonly #requests = new RequestWriter({ out: this.out, peer: this.#peer })
  readonly #guard = new FloodGuard()
  readonly #frames = new IncomingFrames({ handlers: this })
  /** The last stream that the server acts on, once it sent a GOAWAY. */
  #lastStreamId = MAX_INT31

  constructor(deps: SessionDeps) {
    this.#deps = deps
    const { requestTimeoutMs, firstStreamId = 1 } = deps
    const [out, sendFlow, guard] = [this.out, this.#sendFlow, this.#guard]
    this.#streams = new OpenStreams({ out, sendFlow, guard, requestTimeoutMs, firstStreamId })
  }

  /** Requests that were answered, whatever the status. */
  get answered(): number {
    return this.#streams.answered
  }

  get openStreams(): number {
    return this.#streams.size
  }

  /** How many requests may be opened. */
  get room(): number {
    if (this.#sendFlow.isBlocked) return 0
    const allowed = Math.min(this.#deps.maxStreams, this.#peer.maxConcurrentStreams)
    return Math.max(0, Math.min(allowed - this.#streams.size, this.#streams.idsLeft))
  }

  /** A connection that is out of stream ids takes no more requests. */
  get isOutOfIds(): boolean {
    return this.#streams.idsLeft <= 0
  }

  /** Writes what every connection begins with (RFC 9113 sections 3.4 and 6.5). */
  greet(): void {
    control.writePreface(this.out)
    control.writeSettings(this.out, [
      // Without a table every header block stands for itself: no state that a lost or skipped one could break.
      [SETTING.headerTableSize, 0],
      [SETTING.enablePush, 0],
      [SETTING.initialWindowSize, STREAM_WINDOW_BYTES],
      [SETTING.maxHeaderListSize, MAX_HEADER_LIST_BYTES],
    ])
    control.writeWindowUpdate(this.out, 0, ReceiveFlow.firstUpdateBytes)
  }

  /** Writes a request; only while there is `room`. One that can't be written fails with `request_invalid`. */
  open(run: RequestRun, index: number, nowMs: number): void {
    const start = this.out.length
    let bodyStart: number
    try {
      bodyStart = this.#requests.write(run, index, this.#streams.nextId)
    } catch {
      // A mistake in the request would repeat on every connection. Its text may quote a token and is dropped.
      this.out.truncate(start)
      run.failed(index, new Http2Error('unsent', 'request_invalid'))
      return
    }
    const stream = this.#streams.open(run, index, nowMs)
    if (bodyStart > 0) this.#sendFlow.sendBody(stream, bodyStart)
  }

  /** Takes the next bytes of the peer. False where they broke the protocol: GOAWAY is written, the connection is over. */
  receive(chunk: Buffer): boolean {
    try {
      this.#frames.read(chunk)
      return true
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error
      control.writeGoaway(this.out, error.code)
      return false
    }
  }

  /** Fails what is beyond its deadline. Returns how many those were. Call it now and then, with a time that only grows. */
  expire(nowMs: number): number {
    this.#guard.refill(nowMs)
    return this.#streams.expire(nowMs)
  }

  /** The caller lost interest in a batch. */
  cancel(run: RequestRun): void {
    this.#streams.cancel(run)
  }

  /** The connection is gone: what is open may have been acted on. */
  failAll(code: 'connection_lost' | 'protocol_error'): void {
    this.#streams.failAbove(0, new Http2Error('ambiguous', code))
  }

  ping(): void {
    control.writePing(this.out, 0, Buffer.alloc(8))
  }

  sayGoodbye(): void {
    control.writeGoaway(this.out, ERROR.noError)
  }

  onData(streamId: number, bytes: Buffer, from: number, end: number, flowBytes: number, isLast: boolean): void {
    const update = this.#receiveFlow.onData(flowBytes)
    if (update > 0) control.writeWindowUpdate(this.out, 0, update)
    if (from === end) this.#guard.spend()
    const stream = this.#streams.find(streamId)
    if (!stream) return
    // Section 8.1: an answer begins with its headers.
    if (stream.status === 0) this.#streams.resetMalformed(stream)
    else if (!stream.appendBody(bytes, from, end) || isLast) this.#streams.finish(stream, isLast)
  }

  onHeaderBlock(streamId: number, bytes: Buffer, from: number, end: number, isLast: boolean): void {
    const stream = this.#streams.find(streamId)
    if (!stream?.run) return
    if (stream.status !== 0) {
      // Trailers: nobody reads them, but they have to be the end (section 8.1).
      if (isLast) this.#streams.finish(stream, true)
      else this.#streams.resetMalformed(stream)
      return
    }
    const isWellFormed = readAnswerFields(bytes, from, end, stream.run.wanted, stream)
    if (!isWellFormed) this.#streams.resetMalformed(stream)
    else if (stream.status < 200) this.#onInformational(stream, isLast)
    else if (isLast) this.#streams.finish(stream, true)
  }

  onReset(streamId: number, code: number): void {
    const stream = this.#streams.find(streamId)
    if (!stream) return
    // Section 8.7: a refused stream has not been processed. Not sending it again would lose the push. One that is
    // refused after its answer began is a contradiction.
    const isRefused = code === ERROR.refusedStream && stream.status === 0
    this.#streams.fail(
      stream,
      isRefused ? new Http2Error('unsent', 'refused_stream') : new Http2Error('ambiguous', 'stream_reset'),
    )
  }

  onSettings(bytes: Buffer, from: number, end: number): void {
    this.#guard.spend()
    const windowBefore = this.#peer.initialWindowBytes
    this.#peer.read(bytes, from, end)
    control.writeSettingsAck(this.out)
    const windowMove = this.#peer.initialWindowBytes - windowBefore
    if (windowMove !== 0) this.#sendFlow.moveInitialWindow(windowMove)
    this.#deps.events.onPeerSettings()
  }

  onSettingsAck(): void {
    // Nothing to wait for: our settings stand before every request, and the peer reads in order.
    this.#guard.spend()
  }

  onPing(data: Buffer): void {
    this.#guard.spend()
    control.writePing(this.out, FLAG.ack, data)
  }

  onPingAck(): void {
    this.#guard.spend()
    this.#deps.events.onPingAck()
  }

  /** Section 6.8: what is above the last id was not and will not be acted on. What is below may still be answered. */
  onGoaway(lastStreamId: number, code: number): void {
    this.#guard.spend()
    // A server that shuts down in two steps sends 2^31-1 first and the true last id later: the lower one holds.
    this.#lastStreamId = Math.min(this.#lastStreamId, lastStreamId)
    this.#deps.events.onGoaway(code)
    this.#streams.failAbove(this.#lastStreamId, new Http2Error('unsent', 'goaway'))
  }

  onWindowUpdate(streamId: number, bytes: number): void {
    this.#guard.spend()
    if (streamId === 0) {
      if (bytes === 0) throw new ProtocolViolation(ERROR.protocolError, 'a window widened by nothing')
      this.#sendFlow.widenConnection(bytes)
      return
    }
    const stream = this.#streams.find(streamId)
    if (!stream) return
    if (bytes === 0) this.#streams.resetMalformed(stream)
    else if (!this.#sendFlow.widenStream(stream, bytes))
      this.#streams.reset(stream, ERROR.flowControlError, new Http2Error('ambiguous', 'answer_invalid'))
  }

  onPriority(streamId: number, isWellFormed: boolean): void {
    this.#guard.spend()
    const stream = isWellFormed ? undefined : this.#streams.peek(streamId)
    if (stream) this.#streams.reset(stream, ERROR.frameSizeError, new Http2Error('ambiguous', 'answer_invalid'))
  }

  onIdleFrame(): void {
    this.#guard.spend()
  }

  #onInformational(stream: Http2Stream, isLast: boolean): void {
    this.#guard.spend()
    // Section 8.1: an informational answer can't be the end, and HTTP/2 has no protocol to switch to (section 8.6).
    if (isLast || stream.status === 101) this.#streams.resetMalformed(stream)
    else stream.forgetHead()
  }
}
