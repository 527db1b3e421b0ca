import { DEFAULT_WINDOW_BYTES, ERROR } from '../frames/frame-constants.ts'
import { ProtocolViolation } from '../frames/protocol-violation.ts'

/** Receive window of a connection: large enough that answers never wait for a WINDOW_UPDATE. */
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024
/**
 * Receive window of a stream. Never increased: it exceeds the part of an answer that a batch can keep
 * (`maxAnswerBytes`).
 */
export const STREAM_WINDOW_BYTES = 1024 * 1024

/** Flow control of received DATA (RFC 9113 section 5.2). */
export class ReceiveFlow {
  #window = CONNECTION_WINDOW_BYTES

  /** Increment of the first WINDOW_UPDATE of a connection. */
  static readonly firstUpdateBytes = CONNECTION_WINDOW_BYTES - DEFAULT_WINDOW_BYTES

  /**
   * Counts a DATA frame, padding included. Returns the increment of the WINDOW_UPDATE to send, usually 0.
   * @throws ProtocolViolation when the peer exceeds the window
   */
  onData(bytes: number): number {
    this.#window -= bytes
    if (this.#window < 0) throw new ProtocolViolation(ERROR.flowControlError, 'DATA exceeds the connection window')
    if (this.#window > CONNECTION_WINDOW_BYTES / 2) return 0
    const update = CONNECTION_WINDOW_BYTES - this.#window
    this.#window = CONNECTION_WINDOW_BYTES
    return update
  }
}
