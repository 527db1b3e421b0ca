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
  | 'origin_down'
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
  /** The cause of a failed connection: an error code of Node, such as `ECONNREFUSED`. */
  readonly detail: string | undefined

  constructor(kind: Http2ErrorKind, code: Http2ErrorCode, detail?: string) {
    super(`no answer over HTTP/2: ${detail ?? code} (${kind})`)
    this.kind = kind
    this.code = code
    this.detail = detail
  }
}

/** Errors that say nothing about the server: this side did not send the request, or ended it. */
const OWN_CODES: ReadonlySet<Http2ErrorCode> = new Set([
  'aborted',
  'address_refused',
  'closed',
  'interrupted',
  'origin_down',
  'request_invalid',
])

/** Whether an error shows a server that does not work, or is not reached. */
export function isServerFailure({ code }: Http2Error): boolean {
  return !OWN_CODES.has(code)
}

/**
 * The error of requests that wait for a connection which fails before it is open.
 * @param cause an error code of Node, of `AddressRefused`, or of this client
 */
export function makeConnectionError(cause: string): Http2Error {
  if (cause === 'ERR_ADDRESS_REFUSED') return new Http2Error('unsent', 'address_refused')
  if (cause === 'connect_timeout' || cause === 'protocol_error') return new Http2Error('unsent', cause)
  return new Http2Error('unsent', 'connect_failed', cause)
}
