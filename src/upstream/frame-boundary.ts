// Frames of a WebSocket (RFC 6455 section 5.2), as far as their lengths: a header of 2 to 14 bytes, then the payload.

/** Header bytes up to the one with the 7-bit length. */
const SHORTEST_HEADER_BYTES = 2
const MASK_KEY_BYTES = 4
/** Sizes of the length that follows the header's second byte, by the values that announce it. */
const EXTENDED_LENGTH_BYTES = new Map([
  [126, 2],
  [127, 8],
])

/**
 * Follows one direction of a WebSocket and tells where its frames end. It keeps no bytes, and of a payload it only
 * counts them.
 */
export class FrameBoundary {
  /** Bytes of the current header that were read, of those that it has as far as known. */
  #headerRead = 0
  #headerBytes = SHORTEST_HEADER_BYTES
  /** Where the length in the header ends and the masking key begins. */
  #lengthEnd = SHORTEST_HEADER_BYTES
  #length = 0
  /** Bytes of the current payload that are still to come. */
  #payloadLeft = 0

  /** All bytes so far are whole frames, so another frame may follow. */
  get isReached(): boolean {
    return this.#headerRead === 0 && this.#payloadLeft === 0
  }

  /** Follows a whole chunk. */
  follow(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) at = this.followFrame(chunk, at)
  }

  /** Follows `chunk` from `start` to the end of a frame, or of the chunk. Returns this position. */
  followFrame(chunk: Uint8Array, start: number): number {
    const at = this.#payloadLeft > 0 ? start : this.#followHeader(chunk, start)
    const end = Math.min(at + this.#payloadLeft, chunk.length)
    this.#payloadLeft -= end - at
    return end
  }

  #followHeader(chunk: Uint8Array, start: number): number {
    for (let at = start; ; at++) {
      const byte = chunk[at]
      if (byte === undefined) return at
      this.#followHeaderByte(byte)
      if (this.#headerRead < this.#headerBytes) continue
      this.#headerRead = 0
      this.#headerBytes = SHORTEST_HEADER_BYTES
      this.#payloadLeft = this.#length
      return at + 1
    }
  }

  #followHeaderByte(byte: number): void {
    const index = this.#headerRead++
    if (index === 1) {
      const length = byte & 0x7f
      const extendedBytes = EXTENDED_LENGTH_BYTES.get(length) ?? 0
      this.#lengthEnd = SHORTEST_HEADER_BYTES + extendedBytes
      this.#headerBytes = this.#lengthEnd + (byte & 0x80 ? MASK_KEY_BYTES : 0)
      this.#length = extendedBytes > 0 ? 0 : length
    } else if (index > 1 && index < this.#lengthEnd) {
      this.#length = this.#length * 256 + byte
    }
  }
}
