import { DEFAULT_MAX_FRAME_BYTES, ERROR, FRAME_HEADER_BYTES, MAX_INT31 } from './frame-constants.ts'
import { ProtocolViolation } from './protocol-violation.ts'

/** Receives a frame. Its payload is `bytes` from `from` to `end`, valid during the call only. */
export type OnFrame = (type: number, flags: number, streamId: number, bytes: Buffer, from: number, end: number) => void

const EMPTY = Buffer.alloc(0)
/** Fits an incomplete frame and the next chunk of the socket. */
const REST_BYTES = FRAME_HEADER_BYTES + DEFAULT_MAX_FRAME_BYTES + 64 * 1024

/** Splits the byte stream of a connection into frames. Keeps an incomplete frame until the next chunk completes it. */
export class FrameReader {
  readonly #onFrame: OnFrame
  #rest: Buffer = EMPTY
  #restLength = 0

  constructor(deps: { onFrame: OnFrame }) {
    this.#onFrame = deps.onFrame
  }

  /**
   * Reads the next bytes. The chunk may be reused after the call. @throws ProtocolViolation when a frame is too large
   */
  read(chunk: Buffer): void {
    if (this.#restLength === 0) {
      const at = this.#readFrames(chunk, chunk.length)
      if (at < chunk.length) this.#keep(chunk, at)
      return
    }
    this.#keep(chunk, 0)
    const at = this.#readFrames(this.#rest, this.#restLength)
    this.#rest.copyWithin(0, at, this.#restLength)
    this.#restLength -= at
  }

  /** Returns the offset of the first incomplete frame. */
  #readFrames(bytes: Buffer, length: number): number {
    let at = 0
    while (length - at >= FRAME_HEADER_BYTES) {
      const payload = bytes.readUInt32BE(at) >>> 8
      if (payload > DEFAULT_MAX_FRAME_BYTES)
        throw new ProtocolViolation(ERROR.frameSizeError, 'frame larger than SETTINGS_MAX_FRAME_SIZE')
      const from = at + FRAME_HEADER_BYTES
      const end = from + payload
      if (end > length) break
      const streamId = bytes.readUInt32BE(at + 5) & MAX_INT31
      this.#onFrame(bytes.readUInt8(at + 3), bytes.readUInt8(at + 4), streamId, bytes, from, end)
      at = end
    }
    return at
  }

  #keep(chunk: Buffer, from: number): void {
    const needed = this.#restLength + chunk.length - from
    if (needed > this.#rest.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, REST_BYTES))
      this.#rest.copy(grown, 0, 0, this.#restLength)
      this.#rest = grown
    }
    chunk.copy(this.#rest, this.#restLength, from)
    this.#restLength = needed
  }
}
