/**
 * `unsent`: the server has not processed the request and never will, so it can be sent again at once.
 * `ambiguous`: there is no answer, but the server may have processed the request.
 * `aborted`: the caller aborted the request. The server may have processed it.
 */
export type Http2ErrorKind = 'unsent' | 'ambiguous' | 'aborted'

/** The cause of a failure. */
export type Http2ErrorCode =
  | 'aborted'
  | 'address_refused'
  | 'answer_invalid'
  | 'closed'
  | 'connect_failed'
  | 'connect_timeout'
  | 'connection_lost'
  | 'goaway'
  | 'interrupted'
  | 'no_stream_free'
  | 'protocol_error'
  | 'refused_stream'
  | 'request_invalid'
  | 'stream_reset'
  | 'timeout'

/** A request has no answer. Contains codes only, no part of the request and no bytes of the server. */
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
