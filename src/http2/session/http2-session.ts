// The HTTP/2 protocol of one connection, without its socket: `receive` reads received bytes, and bytes to send are
// written to `out`. open-streams.ts closes streams, and frames/frame-decoder.ts checks the form of frames. Section
// numbers are those of RFC 9113.
import { ByteWriter } from '../frames/byte-writer.ts'
import * as control from '../frames/control-frames.ts'
import { ERROR, FLAG, MAX_INT31, SETTING } from '../frames/frame-constants.ts'
import { type ControlHandlers, FrameDecoder } from '../frames/frame-decoder.ts'
import { ProtocolViolation } from '../frames/protocol-violation.ts'
import { Http2Error } from '../http2-error.ts'
import { MAX_HEADER_LIST_BYTES } from './answer-fields.ts'
import { AnswerFrames } from './answer-frames.ts'
import { FloodGuard } from './flood-guard.ts'
import type { Http2Stream } from './http2-stream.ts'
import { OpenStreams } from './open-streams.ts'
import { PeerSettings } from './peer-settings.ts'
import { ReceiveFlow, STREAM_WINDOW_BYTES } from './receive-flow.ts'
import type { RequestSource } from './request-source.ts'
import { RequestWriter } from './request-writer.ts'
import { SendFlow } from './send-flow.ts'
import { WrittenRequests } from './written-requests.ts'

/** Events of a session. */
export interface SessionEvents {
  /** SETTINGS were received and applied: the first, or changed ones. */
  onPeerSettings(): void
  /** The peer answered a PING of `ping`. */
  onPingAck(): void
  /** GOAWAY was received: open no more streams. `code`: an error code of section 7. */
  onGoaway(code: number): void
}

/** Limits of a session, and the receiver of its events. */
export interface SessionDeps {
  events: SessionEvents
  /** Limit of open streams in addition to the peer's. */
  maxStreams: number
  /** From the opening of a stream to the end of its answer. */
  requestTimeoutMs: number
  /** The clock of confirmations, in ms. */
  nowMs: () => number
  /** 1 unless given; tests set it to reach the last id. */
  firstStreamId?: number
}

/** The client side of the protocol. Each opened request ends with one call, `answered` or `failed` of its source. */
export class Http2Session implements ControlHandlers {
  /** Bytes to send. */
  readonly out = new ByteWriter()
  readonly #deps: SessionDeps
  readonly #streams: OpenStreams
  readonly #peer = new PeerSettings()
  readonly #sendFlow: SendFlow
  readonly #requests = new RequestWriter({ out: this.out, peer: this.#peer })
  readonly #written: WrittenRequests
  readonly #guard = new FloodGuard()
  readonly #frames: FrameDecoder
  /** Highest stream that the server processes, after GOAWAY. */
  #lastStreamId = MAX_INT31

  constructor(deps: SessionDeps) {
    this.#deps = deps
    const { requestTimeoutMs, firstStreamId = 1, nowMs } = deps
    const [out, guard] = [this.out, this.#guard]
    const interrupt = (stream: Http2Stream) => this.#streams.interrupt(stream)
    const sendFlow = new SendFlow({ out, peer: this.#peer, nowMs, interrupt })
    this.#sendFlow = sendFlow
    this.#streams = new OpenStreams({ out, sendFlow, guard, requestTimeoutMs, firstStreamId })
    this.#written = new WrittenRequests({ out, streams: this.#streams, sendFlow, peer: this.#peer })
    const answers = new AnswerFrames({ out, streams: this.#streams, guard })
    this.#frames = new FrameDecoder({ answers, control: this })
  }

  /** Number of answered requests, of any status. */
  get answered(): number {
    return this.#streams.answered
  }

  /** Number of open streams. */
  get openStreams(): number {
    return this.#streams.size
  }

  /** Number of requests that may be opened now. */
  get freeStreams(): number {
    if (this.#sendFlow.isBlocked) return 0
    const allowed = Math.min(this.#deps.maxStreams, this.#peer.maxConcurrentStreams)
    return Math.max(0, Math.min(allowed - this.#streams.size, this.#streams.idsLeft))
  }

  /** All stream ids are used: no more requests can be opened on this connection. */
  get isOutOfIds(): boolean {
    return this.#streams.idsLeft <= 0
  }

  /** Writes the connection preface: the first bytes of every connection (sections 3.4 and 6.5). */
  writePreface(): void {
    control.writePreface(this.out)
    control.writeSettings(this.out, [
      // Without a dynamic table, header blocks of closed streams can be skipped: they change no state.
      [SETTING.headerTableSize, 0],
      [SETTING.enablePush, 0],
      [SETTING.initialWindowSize, STREAM_WINDOW_BYTES],
      [SETTING.maxHeaderListSize, MAX_HEADER_LIST_BYTES],
    ])
    control.writeWindowUpdate(this.out, 0, ReceiveFlow.firstUpdateBytes)
  }

  /**
   * Writes a request. Call it only while `freeStreams` > 0, and `takeOutput` after the last one, before bytes are
   * received. An invalid request fails with `request_invalid`.
   */
  open(source: RequestSource, index: number, nowMs: number): void {
    this.#written.add(source)
    const start = this.out.length
    let bodyStart: number
    try {
      bodyStart = this.#requests.write(source, index, this.#streams.nextId)
    } catch {
      // The error would repeat on every connection. Its message may quote a token, so it is discarded.
      this.out.truncate(start)
      source.failed(index, new Http2Error('unsent', 'request_invalid'))
      return
    }
    const stream = this.#streams.open(source, index, nowMs)
    if (bodyStart > 0) this.#sendFlow.sendBody(stream, bodyStart)
  }

  /**
   * The bytes to send, as `out.take`. If a confirmation of the written requests has ended since, they are taken out and
   * fail as interrupted.
   */
  takeOutput(): Buffer {
    return this.#written.take(this.#deps.nowMs())
  }

  /** Reads received bytes. False after a connection error: GOAWAY is written, and the connection must be closed. */
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

  /** Fails the requests past their deadline. Returns their number. Call it regularly, with a monotonic time. */
  failOverdue(nowMs: number): number {
    this.#guard.refill(nowMs)
    return this.#streams.failOverdue(nowMs)
  }

  /** Fails the open requests of a batch with `aborted`. */
  abort(source: RequestSource): void {
    this.#streams.abort(source)
  }

  /** Fails all open requests as ambiguous: the server may have processed them. */
  failAll(code: 'connection_lost' | 'protocol_error'): void {
    this.#streams.failAbove(0, new Http2Error('ambiguous', code))
  }

  /** Writes a PING. `onPingAck` follows when the peer answers. */
  ping(): void {
    control.writePing(this.out, 0, Buffer.alloc(8))
  }

  /** Writes GOAWAY without an error. */
  writeGoaway(): void {
    control.writeGoaway(this.out, ERROR.noError)
  }

  onSettings(bytes: Buffer, from: number, end: number): void {
    this.#guard.consume()
    const windowBefore = this.#peer.initialWindowBytes
    this.#peer.read(bytes, from, end)
    control.writeSettingsAck(this.out)
    const windowChange = this.#peer.initialWindowBytes - windowBefore
    if (windowChange !== 0) this.#sendFlow.adjustStreamWindows(windowChange)
    this.#deps.events.onPeerSettings()
  }

  onSettingsAck(): void {
    // No effect: SETTINGS precede every request, and the peer processes frames in order.
    this.#guard.consume()
  }

  onPing(data: Buffer): void {
    this.#guard.consume()
    control.writePing(this.out, FLAG.ack, data)
  }

  onPingAck(): void {
    this.#guard.consume()
    this.#deps.events.onPingAck()
  }

  /** Section 6.8: streams above the last id are not processed. The others may still be answered. */
  onGoaway(lastStreamId: number, code: number): void {
    this.#guard.consume()
    // A graceful shutdown sends 2^31-1 first and the final id later.
    this.#lastStreamId = Math.min(this.#lastStreamId, lastStreamId)
    this.#deps.events.onGoaway(code)
    this.#streams.failAbove(this.#lastStreamId, new Http2Error('unsent', 'goaway'))
  }

  onWindowUpdate(streamId: number, bytes: number): void {
    this.#guard.consume()
    if (streamId === 0) {
      if (bytes === 0) throw new ProtocolViolation(ERROR.protocolError, 'WINDOW_UPDATE with an increment of 0')
      this.#sendFlow.increaseConnectionWindow(bytes)
      return
    }
    const stream = this.#streams.find(streamId)
    if (!stream) return
    if (bytes === 0) this.#streams.resetMalformed(stream)
    else if (!this.#sendFlow.increaseStreamWindow(stream, bytes))
      this.#streams.reset(stream, ERROR.flowControlError, new Http2Error('ambiguous', 'answer_invalid'))
  }

  onPriority(streamId: number, isWellFormed: boolean): void {
    this.#guard.consume()
    const stream = isWellFormed ? undefined : this.#streams.get(streamId)
    if (stream) this.#streams.reset(stream, ERROR.frameSizeError, new Http2Error('ambiguous', 'answer_invalid'))
  }

  onIgnoredFrame(): void {
    this.#guard.consume()
  }
}
