import type { ByteWriter } from '../frames/byte-writer.ts'
import { DEFAULT_MAX_FRAME_BYTES, FLAG, FRAME, FRAME_HEADER_BYTES } from '../frames/frame-constants.ts'
import { InvalidRequest, RequestFieldWriter, writePath } from '../hpack/field-writer.ts'
import type { PeerSettings } from './peer-settings.ts'
import type { RequestRun } from './request-source.ts'

/** RFC 7541 section 6.3: "my table has no bytes". */
const TABLE_SIZE_ZERO = 0x20

/** Writes requests as HEADERS, and their bodies as what may become DATA. */
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
   * Writes the HEADERS frame and the body behind it, with room for that frame's header. Returns where the body's frame
   * begins; 0 without a body, and then HEADERS end the stream. Throws where the request can't be written as HTTP.
   */
  write(run: RequestRun, index: number, streamId: number): number {
    const out = this.#out
    const start = out.beginFrame()
    this.#writeHeaders(run, index)
    // Larger ones would need CONTINUATION frames, and no server takes them.
    if (out.length - start - FRAME_HEADER_BYTES > DEFAULT_MAX_FRAME_BYTES) throw new InvalidRequest('headers too large')
    out.endFrame(start, FRAME.headers, FLAG.endHeaders, streamId)
    const bodyStart = this.#writeBody(run, index)
    if (bodyStart === 0) out.endFrame(start, FRAME.headers, FLAG.endHeaders | FLAG.endStream, streamId)
    this.#peer.isTableUpdateDue = false
    return bodyStart
  }

  #writeHeaders({ batch, sharedFields }: RequestRun, index: number): void {
    if (this.#peer.isTableUpdateDue) this.#out.uint8(TABLE_SIZE_ZERO)
    // Pseudo-headers come first (RFC 9113 section 8.3): the request's own one before those it shares.
    if (typeof batch.path === 'function') writePath(this.#out, batch.path(index))
    this.#out.bytes(sharedFields)
    batch.writeFields?.(index, this.#fields)
  }

  #writeBody({ batch }: RequestRun, index: number): number {
    if (!batch.writeBody) return 0
    const start = this.#out.beginFrame()
    batch.writeBody(index, this.#out)
    if (this.#out.length - start > FRAME_HEADER_BYTES) return start
    this.#out.truncate(start)
    return 0
  }
}
