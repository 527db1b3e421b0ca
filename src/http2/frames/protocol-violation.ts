/**
 * The peer broke the protocol in a way that ends the connection (RFC 9113 section 5.4.1). Thrown while its bytes are
 * read and caught by the session, which says GOAWAY with `code`; callers of the room never see it.
 */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation'
  /** An error code of RFC 9113 section 7. */
  readonly code: number

  /** `what`: in our words, nothing that the peer wrote. */
  constructor(code: number, what: string) {
    super(what)
    this.code = code
  }
}
