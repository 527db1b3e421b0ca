/**
 * A connection error (RFC 9113 section 5.4.1): the peer violated the protocol, and the connection must end. Thrown
 * while received bytes are read. The session catches it and writes GOAWAY with `code`, so it never leaves `http2/`.
 */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation'
  /** An error code of RFC 9113 section 7. */
  readonly code: number

  /** `message` must not quote received bytes: they may contain secrets. */
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}
