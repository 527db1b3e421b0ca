import { ERROR } from './frame-constants.ts'
import { ProtocolViolation } from './protocol-violation.ts'

/** Header blocks larger than a frame are unheard of in answers of push services. */
const MAX_BLOCK_BYTES = 64 * 1024

/** Puts a header block together that comes as HEADERS and CONTINUATION frames. */
export class HeaderAssembly {
  isOpen = false
  streamId = 0
  /** The HEADERS frame ended the stream. */
  isLast = false
  #parts: Buffer[] = []
  #length = 0

  /** `part` is copied. */
  open(streamId: number, isLast: boolean, part: Buffer): void {
    this.isOpen = true
    this.streamId = streamId
    this.isLast = isLast
    this.#parts = []
    this.#length = 0
    this.add(part)
  }

  /** @throws ProtocolViolation when the block gets too large */
  add(part: Buffer): void {
    this.#length += part.length
    if (this.#length > MAX_BLOCK_BYTES) throw new ProtocolViolation(ERROR.enhanceYourCalm, 'a header block too large')
    if (part.length > 0) this.#parts.push(Buffer.from(part))
  }

  close(): Buffer {
    this.isOpen = false
    return Buffer.concat(this.#parts)
  }
}
