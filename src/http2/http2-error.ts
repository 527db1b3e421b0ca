/**
 * `unsent`: the server has not acted on the request and never will, so it can be sent again at once.
 * `ambiguous`: it may have been acted on although no answer came.
 * `aborted`: the caller's signal ended the wait; what the server did is unknown.
 */
export type Http2ErrorKind = 'unsent' | 'ambiguous' | 'aborted'

export type Http2ErrorCode =
  | 'aborted'
  | 'address_refused'
  | 'answer_invalid'
  | 'closed'
  | 'connect_failed'
  | 'connect_timeout'
  | 'connection_lost'
  | 'goaway'
  | 'no_stream_free'
  | 'protocol_error'
  | 'refused_stream'
  | 'request_invalid'
  | 'stream_reset'
  | 'timeout'

/** Why a request has no answer. Carries codes only: nothing of the request and nothing that the server wrote. */
export class Http2Error extends Error {
  override readonly name = 'Http2Error'
  readonly kind: Http2ErrorKind
  readonly code: Http2ErrorCode

  constructor(kind: Http2ErrorKind, code: Http2ErrorCode) {
    super(`no answer over HTTP/2: ${code} (${kind})`)
    this.kind = kind
    this.code = code
  }
}
