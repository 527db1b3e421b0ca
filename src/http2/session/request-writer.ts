import type { ByteWriter } from '../frames/byte-writer.ts'
import { DEFAULT_MAX_FRAME_BYTES, FLAG, FRAME, FRAME_HEADER_BYTES } from '../frames/frame-constants.ts'
import { InvalidRequest, RequestFieldWriter, writePath } from '../hpack/field-writer.ts'
import type { PeerSettings } from './peer-settings.ts'
import type { RequestSource } from './request-source.ts'

/** Dynamic table size update to 0 (RFC 7541 section 6.3). */
const TABLE_SIZE_ZERO = 0x20

/** Writes requests into the send buffer: a HEADERS frame, then the body with space for the header of its DATA frame. */
export class RequestWriter {
  readonly #out: ByteWriter
  readonly #peer: PeerSettings
  readonly #fields: RequestFieldWriter

  constructor(deps: { out: ByteWriter; peer: PeerSettings }) {
    this.#out = deps.out
    this.#peer = deps.peer
    this.#fields = new RequestFieldWriter(deps.out)
  }

  /**
   * Writes the HEADERS frame and the body. Returns the offset of the body's frame, for `ByteWriter.endFrame`; 0 without
   * a body, when HEADERS has END_STREAM. @throws InvalidRequest, and errors of the batch's writers
   */
  write(source: RequestSource, index: number, streamId: number): number {
    const out = this.#out
    const start = out.beginFrame()
    this.#writeHeaders(source, index)
    // Larger headers would need CONTINUATION frames. No push service accepts such headers.
    if (out.length - start - FRAME_HEADER_BYTES > DEFAULT_MAX_FRAME_BYTES) throw new InvalidRequest('headers too large')
    out.endFrame(start, FRAME.headers, FLAG.endHeaders, streamId)
    const bodyStart = this.#writeBody(source, index)
    if (bodyStart === 0) out.endFrame(start, FRAME.headers, FLAG.endHeaders | FLAG.endStream, streamId)
    this.#peer.isTableUpdateDue = false
    return bodyStart
  }

  #writeHeaders({ batch, sharedFields }: RequestSource, index: number): void {
    if (this.#peer.isTableUpdateDue) this.#out.uint8(TABLE_SIZE_ZERO)
    // Pseudo-headers precede regular fields (RFC 9113 section 8.3), and the shared fields contain both.
    if (typeof batch.path === 'function') writePath(this.#out, batch.path(index))
    this.#out.bytes(sharedFields)
    batch.writeFields?.(index, this.#fields)
  }

  #writeBody({ batch }: RequestSource, index: number): number {
    if (!batch.writeBody) return 0
    const start = this.#out.beginFrame()
    batch.writeBody(index, this.#out)
    if (this.#out.length - start > FRAME_HEADER_BYTES) return start
    this.#out.truncate(start)
    return 0
  }
}
