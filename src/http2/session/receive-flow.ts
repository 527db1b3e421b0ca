import { DEFAULT_WINDOW_BYTES, ERROR } from '../frames/frame-constants.ts'
import { ProtocolViolation } from '../frames/protocol-violation.ts'

/** What the peer may send on a connection before we say that we read it: answers never wait for us. */
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024
/** What it may send on a stream: more than any batch keeps of an answer (`maxAnswerBytes`), and it is never widened. */
export const STREAM_WINDOW_BYTES = 1024 * 1024

/** Flow control of what a connection receives. */
export class ReceiveFlow {
  #window = CONNECTION_WINDOW_BYTES

  /** What the first WINDOW_UPDATE of the connection adds. */
  static readonly firstUpdateBytes = CONNECTION_WINDOW_BYTES - DEFAULT_WINDOW_BYTES

  /** Counts a DATA frame, padding included; returns by how much to widen the window, usually 0. @throws ProtocolViolation */
  onData(bytes: number): number {
    this.#window -= bytes
    if (this.#window < 0) throw new ProtocolViolation(ERROR.flowControlError, 'more data than the window')
    if (this.#window > CONNECTION_WINDOW_BYTES / 2) return 0
    const update = CONNECTION_WINDOW_BYTES - this.#window
    this.#window = CONNECTION_WINDOW_BYTES
    return update
  }
}
