// Flow control of sent DATA (RFC 9113 section 5.2). Nearly every body fits its windows and is sent with its headers.
// The rest of a larger body is stored on its stream and sent when the peer increases the windows, oldest stream first.
// The peer may take long. A request that must not be sent any more is interrupted then: it has no effect without its
// last bytes.
import type { ByteWriter } from '../frames/byte-writer.ts'
import { DEFAULT_WINDOW_BYTES, ERROR, FLAG, FRAME, FRAME_HEADER_BYTES, MAX_INT31 } from '../frames/frame-constants.ts'
import { ProtocolViolation } from '../frames/protocol-violation.ts'
import type { Http2Stream } from './http2-stream.ts'
import type { PeerSettings } from './peer-settings.ts'

/** Parts of the session that the flow control uses. */
export interface SendFlowDeps {
  out: ByteWriter
  peer: PeerSettings
  /** The clock of confirmations, in ms. */
  nowMs: () => number
  /** Resets a stream with an incomplete body. It calls `remove`. */
  interrupt: (stream: Http2Stream) => void
}

/** Sends request bodies within the send windows of a connection and its streams. */
export class SendFlow {
  /** The send window of the connection, in bytes. */
  connectionWindow = DEFAULT_WINDOW_BYTES
  readonly #deps: SendFlowDeps
  readonly #out: ByteWriter
  readonly #peer: PeerSettings
  /** Streams with an unsent body, in the order of opening. */
  readonly #blocked = new Set<Http2Stream>()

  constructor(deps: SendFlowDeps) {
    this.#deps = deps
    this.#out = deps.out
    this.#peer = deps.peer
  }

  /** Bodies wait for the connection's window. New streams would only add to them. */
  get isBlocked(): boolean {
    return this.#blocked.size > 0 && this.connectionWindow <= 0
  }

  /**
   * Ends the DATA frame that was begun at `start` and that contains the body of `stream`. A body that exceeds a window
   * or the peer's frame size is removed from the buffer, and sent in several frames.
   */
  sendBody(stream: Http2Stream, start: number): void {
    const length = this.#out.length - start - FRAME_HEADER_BYTES
    stream.sendWindow = this.#peer.initialWindowBytes
    if (length <= this.connectionWindow && length <= stream.sendWindow && length <= this.#peer.maxFrameBytes) {
      this.connectionWindow -= length
      this.#out.endFrame(start, FRAME.data, FLAG.endStream, stream.id)
      return
    }
    stream.unsentBody = this.#out.copyFrom(start + FRAME_HEADER_BYTES)
    this.#out.truncate(start)
    this.#blocked.add(stream)
    this.#sendRest(stream)
  }

  /** Discards the unsent body of a closed stream. */
  remove(stream: Http2Stream): void {
    if (stream.unsentBody) this.#blocked.delete(stream)
  }

  /** Applies a WINDOW_UPDATE of the connection. @throws ProtocolViolation when the window overflows (section 6.9.1) */
  increaseConnectionWindow(bytes: number): void {
    this.connectionWindow += bytes
    if (this.connectionWindow > MAX_INT31) throw new ProtocolViolation(ERROR.flowControlError, 'send window too large')
    this.#continueAll()
  }

  /** Applies a WINDOW_UPDATE of a stream. False when the window overflows: then the caller must reset the stream. */
  increaseStreamWindow(stream: Http2Stream, bytes: number): boolean {
    // The window is not tracked after the body was sent, so it can't overflow.
    if (!stream.unsentBody) return true
    stream.sendWindow += bytes
    if (stream.sendWindow > MAX_INT31) return false
    this.#continue(stream)
    return true
  }

  /**
   * Section 6.9.2: a changed initial window changes the windows of all open streams, possibly below zero.
   * @throws ProtocolViolation when a window overflows
   */
  adjustStreamWindows(byBytes: number): void {
    for (const stream of this.#blocked) {
      stream.sendWindow += byBytes
      if (stream.sendWindow > MAX_INT31) throw new ProtocolViolation(ERROR.flowControlError, 'send window too large')
    }
    this.#continueAll()
  }

  #continueAll(): void {
    for (const stream of this.#blocked) {
      if (this.connectionWindow <= 0) return
      this.#continue(stream)
    }
  }

  #continue(stream: Http2Stream): void {
    if (this.#mayBeSent(stream)) this.#sendRest(stream)
    else this.#deps.interrupt(stream)
  }

  #mayBeSent({ source, index }: Http2Stream): boolean {
    if (!source) return false
    const { confirmation, isWithdrawn, isOutdated = isWithdrawn } = source.batch
    return (!confirmation || this.#deps.nowMs() <= confirmation.untilMs) && !isOutdated?.(index)
  }

  #sendRest(stream: Http2Stream): void {
    while (stream.unsentBody) {
      const body = stream.unsentBody
      const length = Math.min(body.length, this.connectionWindow, stream.sendWindow, this.#peer.maxFrameBytes)
      if (length <= 0) return
      const isLast = length === body.length
      const start = this.#out.beginFrame()
      this.#out.bytes(body.subarray(0, length))
      this.#out.endFrame(start, FRAME.data, isLast ? FLAG.endStream : 0, stream.id)
      this.connectionWindow -= length
      stream.sendWindow -= length
      stream.unsentBody = isLast ? undefined : body.subarray(length)
      if (isLast) this.#blocked.delete(stream)
    }
  }
}
