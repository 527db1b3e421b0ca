// The bytes that a connection is about to send. Everything is written into one chunk after the other; a chunk that was
// handed to the socket comes back with `recycle` when the socket is done with it.

import type { BodyWriter } from '../http2-client.ts'
import { FRAME_HEADER_BYTES } from './frame-constants.ts'

/** A few dozen requests: large enough that a write to the socket costs little per request. */
const CHUNK_BYTES = 64 * 1024
/** UTF-8 takes at most three bytes for each UTF-16 unit. */
const MAX_BYTES_PER_UNIT = 3
/** Chunks kept for all connections of the process: an idle connection holds none. */
const MAX_SPARE_CHUNKS = 64

const EMPTY = Buffer.alloc(0)
const spareChunks: Buffer[] = []

export class ByteWriter implements BodyWriter {
  #chunk: Buffer = EMPTY
  #length = 0

  /** Bytes written and not taken. */
  get length(): number {
    return this.#length
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#chunk.set(bytes, this.#length)
    this.#length += bytes.length
  }

  text(text: string): void {
    this.#reserve(text.length * MAX_BYTES_PER_UNIT)
    this.#length += this.#chunk.write(text, this.#length, 'utf8')
  }

  /** A text of ASCII only: as many bytes as characters. */
  ascii(text: string): void {
    this.#reserve(text.length)
    this.#length += this.#chunk.write(text, this.#length, 'latin1')
  }

  uint8(value: number): void {
    this.#reserve(1)
    this.#chunk[this.#length++] = value
  }

  uint32(value: number): void {
    this.#reserve(4)
    this.#chunk.writeUInt32BE(value, this.#length)
    this.#length += 4
  }

  /** Leaves room for a frame's header, for `endFrame` to fill in; returns where the frame begins. */
  beginFrame(): number {
    this.#reserve(FRAME_HEADER_BYTES)
    const start = this.#length
    this.#length += FRAME_HEADER_BYTES
    return start
  }

  /** The frame that began at `start` ends here. */
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

  /** Takes back what was written from `start` on. */
  truncate(start: number): void {
    this.#length = start
  }

  /** A copy of what was written from `start` on. */
  copyFrom(start: number): Buffer {
    return Buffer.from(this.#chunk.subarray(start, this.#length))
  }

  /** Hands over all bytes; give them back with `recycleChunk` when they were sent. */
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

/** Lets the memory of bytes that `take` returned be used again: nobody may read them any more. */
export function recycleChunk(taken: Buffer): void {
  const { buffer } = taken
  if (buffer.byteLength !== CHUNK_BYTES || spareChunks.length >= MAX_SPARE_CHUNKS) return
  spareChunks.push(Buffer.from(buffer, 0, CHUNK_BYTES))
}
