// Flow control of what we send (RFC 9113 section 5.2). Nearly every body fits its windows and goes out with its headers;
// what doesn't is kept on its stream and sent on as the peer opens windows, the oldest first.
import type { ByteWriter } from '../frames/byte-writer.ts'
import { DEFAULT_WINDOW_BYTES, ERROR, FLAG, FRAME, FRAME_HEADER_BYTES, MAX_INT31 } from '../frames/frame-constants.ts'
import { ProtocolViolation } from '../frames/protocol-violation.ts'
import type { Http2Stream } from './http2-stream.ts'
import type { PeerSettings } from './peer-settings.ts'

export class SendFlow {
  readonly #out: ByteWriter
  readonly #peer: PeerSettings
  #connectionWindow = DEFAULT_WINDOW_BYTES
  /** In the order of opening. */
  readonly #waiting = new Set<Http2Stream>()

  constructor(deps: { out: ByteWriter; peer: PeerSettings }) {
    this.#out = deps.out
    this.#peer = deps.peer
  }

  /** The connection's window is used up and bodies wait for it: opening more streams would only pile them up. */
  get isBlocked(): boolean {
    return this.#waiting.size > 0 && this.#connectionWindow <= 0
  }

  /**
   * Makes a DATA frame of the body that was written after `start`, where its frame was begun; keeps what the windows
   * don't admit.
   */
  sendBody(stream: Http2Stream, start: number): void {
    const length = this.#out.length - start - FRAME_HEADER_BYTES
    stream.sendWindow = this.#peer.initialWindowBytes
    if (length <= this.#connectionWindow && length <= stream.sendWindow && length <= this.#peer.maxFrameBytes) {
      this.#connectionWindow -= length
      this.#out.endFrame(start, FRAME.data, FLAG.endStream, stream.id)
      return
    }
    stream.unsentBody = this.#out.copyFrom(start + FRAME_HEADER_BYTES)
    this.#out.truncate(start)
    this.#waiting.add(stream)
    this.#sendOn(stream)
  }

  /** The stream is closed: what waits is not sent any more. */
  forget(stream: Http2Stream): void {
    if (stream.unsentBody) this.#waiting.delete(stream)
  }

  /** WINDOW_UPDATE on stream 0. @throws ProtocolViolation */
  widenConnection(bytes: number): void {
    this.#connectionWindow += bytes
    if (this.#connectionWindow > MAX_INT31) throw new ProtocolViolation(ERROR.flowControlError, 'a window too large')
    this.#sendAllOn()
  }

  /** WINDOW_UPDATE on a stream; false when its window got too large, which ends the stream. */
  widenStream(stream: Http2Stream, bytes: number): boolean {
    // A stream whose body is sent needs no window: it opens none that could overflow.
    if (!stream.unsentBody) return true
    stream.sendWindow += bytes
    if (stream.sendWindow > MAX_INT31) return false
    this.#sendOn(stream)
    return true
  }

  /** Section 6.9.2: a new initial window moves those of all open streams, also below zero. @throws ProtocolViolation */
  moveInitialWindow(byBytes: number): void {
    for (const stream of this.#waiting) {
      stream.sendWindow += byBytes
      if (stream.sendWindow > MAX_INT31) throw new ProtocolViolation(ERROR.flowControlError, 'a window too large')
    }
    this.#sendAllOn()
  }

  #sendAllOn(): void {
    for (const stream of this.#waiting) {
      if (this.#connectionWindow <= 0) return
      this.#sendOn(stream)
    }
  }

  #sendOn(stream: Http2Stream): void {
    while (stream.unsentBody) {
      const body = stream.unsentBody
      const length = Math.min(body.length, this.#connectionWindow, stream.sendWindow, this.#peer.maxFrameBytes)
      if (length <= 0) return
      const isLast = length === body.length
      const start = this.#out.beginFrame()
      this.#out.bytes(body.subarray(0, length))
      this.#out.endFrame(start, FRAME.data, isLast ? FLAG.endStream : 0, stream.id)
      this.#connectionWindow -= length
      stream.sendWindow -= length
      stream.unsentBody = isLast ? undefined : body.subarray(length)
      if (isLast) this.#waiting.delete(stream)
    }
  }
}
