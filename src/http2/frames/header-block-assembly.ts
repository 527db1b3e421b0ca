import { ERROR } from './frame-constants.ts'
import { ProtocolViolation } from './protocol-violation.ts'

/** Answers of push services have header blocks far below one frame. The limit bounds the memory of a hostile peer. */
const MAX_BLOCK_BYTES = 64 * 1024

/** Joins a header block that is split into HEADERS and CONTINUATION frames (RFC 9113 section 4.3). */
export class HeaderBlockAssembly {
  /** A header block was begun and its last frame has not arrived. */
  isOpen = false
  /** The stream of the header block. */
  streamId = 0
  /** The HEADERS frame has END_STREAM. */
  isLast = false
  #parts: Buffer[] = []
  #length = 0

  /** Begins a block with the fragment of a HEADERS frame. Copies `part`. */
  open(streamId: number, isLast: boolean, part: Buffer): void {
    this.isOpen = true
    this.streamId = streamId
    this.isLast = isLast
    this.#parts = []
    this.#length = 0
    this.add(part)
  }

  /** Adds the fragment of a CONTINUATION frame. Copies `part`. @throws ProtocolViolation when the block is too large */
  add(part: Buffer): void {
    this.#length += part.length
    if (this.#length > MAX_BLOCK_BYTES) throw new ProtocolViolation(ERROR.enhanceYourCalm, 'header block too large')
    if (part.length > 0) this.#parts.push(Buffer.from(part))
  }

  /** Ends the block and returns it. */
  close(): Buffer {
    this.isOpen = false
    return Buffer.concat(this.#parts)
  }
}
