import { DEFAULT_MAX_FRAME_BYTES, ERROR, FRAME_HEADER_BYTES, MAX_INT31 } from './frame-constants.ts'
import { ProtocolViolation } from './protocol-violation.ts'

/** Takes a frame: its payload is `bytes` from `from` to `end`, which are valid during the call only. */
export type OnFrame = (type: number, flags: number, streamId: number, bytes: Buffer, from: number, end: number) => void

const EMPTY = Buffer.alloc(0)
/** Room for what is kept of a frame and for a chunk of the socket's. */
const REST_BYTES = FRAME_HEADER_BYTES + DEFAULT_MAX_FRAME_BYTES + 64 * 1024

/** Finds the frames in the chunks of a connection's bytes; what is cut off waits for the next chunk. */
export class FrameReader {
  readonly #onFrame: OnFrame
  #rest: Buffer = EMPTY
  #restLength = 0

  constructor(deps: { onFrame: OnFrame }) {
    this.#onFrame = deps.onFrame
  }

  /** Nothing of `chunk` is kept by reference. @throws ProtocolViolation */
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

  /** Returns where the first frame begins that is not all there. */
  #readFrames(bytes: Buffer, length: number): number {
    let at = 0
    while (length - at >= FRAME_HEADER_BYTES) {
      const payload = bytes.readUInt32BE(at) >>> 8
      if (payload > DEFAULT_MAX_FRAME_BYTES) throw new ProtocolViolation(ERROR.frameSizeError, 'a frame is too large')
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
