// The send buffer of a connection: frames are written into a chunk of memory. `take` hands the chunk to the socket, and
// `recycleChunk` returns it to the process-wide pool of chunks after the socket has written it.
import type { BodyWriter } from '../http2-client.ts'
import { FRAME_HEADER_BYTES } from './frame-constants.ts'

/** Holds a few dozen requests, so the cost of a socket write per request is small. */
const CHUNK_BYTES = 64 * 1024
/** UTF-8 takes at most three bytes for a UTF-16 code unit. */
const MAX_BYTES_PER_UNIT = 3
/** Free chunks that the process keeps for all its connections. An idle connection holds none. */
const MAX_SPARE_CHUNKS = 64

const EMPTY = Buffer.alloc(0)
const spareChunks: Buffer[] = []

/** A growing send buffer. Writing allocates nothing while the data fits into a recycled chunk. */
export class ByteWriter implements BodyWriter {
  #chunk: Buffer = EMPTY
  #length = 0

  /** Bytes written since the last `take`. */
  get length(): number {
    return this.#length
  }

  /** Appends bytes. */
  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#chunk.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** Appends a text as UTF-8. */
  text(text: string): void {
    this.#reserve(text.length * MAX_BYTES_PER_UNIT)
    this.#length += this.#chunk.write(text, this.#length, 'utf8')
  }

  /** Appends a text of ASCII characters, one byte each. */
  ascii(text: string): void {
    this.#reserve(text.length)
    this.#length += this.#chunk.write(text, this.#length, 'latin1')
  }

  /** Appends the low byte of `value`. */
  uint8(value: number): void {
    this.#reserve(1)
    this.#chunk[this.#length++] = value
  }

  /** Appends `value` in network byte order. */
  uint32(value: number): void {
    this.#reserve(4)
    this.#chunk.writeUInt32BE(value, this.#length)
    this.#length += 4
  }

  /** Reserves the bytes of a frame header, which `endFrame` fills in. Returns the offset of the frame. */
  beginFrame(): number {
    this.#reserve(FRAME_HEADER_BYTES)
    const start = this.#length
    this.#length += FRAME_HEADER_BYTES
    return start
  }

  /** Writes the header of the frame at offset `start`. Its payload is everything written after that header. */
  endFrame(start: number, type: number, flags: number, streamId: number): void {
    const length = this.#length - start - FRAME_HEADER_BYTES
    const chunk = this.#chunk
    chunk[start] = length >>> 16
    chunk[start + 1] = length >>> 8
    chunk[start + 2] = length
    chunk[start + 3] = type
    chunk[start + 4] = flags
    chunk.writeUInt32BE(streamId, start + 5)
  }

  /** Removes everything from offset `start` on. */
  truncate(start: number): void {
    this.#length = start
  }

  /** Copies everything from offset `start` on. */
  copyFrom(start: number): Buffer {
    return Buffer.from(this.#chunk.subarray(start, this.#length))
  }

  /** Returns all bytes and leaves the writer empty. Call `recycleChunk` with them after they were sent. */
  take(): Buffer {
    const taken = this.#chunk.subarray(0, this.#length)
    this.#chunk = EMPTY
    this.#length = 0
    return taken
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes > this.#chunk.length) this.#grow(this.#length + bytes)
  }

  #grow(needed: number): void {
    if (this.#length === 0 && needed <= CHUNK_BYTES) {
      this.#chunk = spareChunks.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES)
      return
    }
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#chunk.length * 2))
    this.#chunk.copy(grown, 0, 0, this.#length)
    this.#chunk = grown
  }
}

/** Makes the memory of bytes from `take` available to all writers. The caller must not read them afterwards. */
export function recycleChunk(taken: Buffer): void {
  const { buffer } = taken
  if (buffer.byteLength !== CHUNK_BYTES || spareChunks.length >= MAX_SPARE_CHUNKS) return
  spareChunks.push(Buffer.from(buffer, 0, CHUNK_BYTES))
}
