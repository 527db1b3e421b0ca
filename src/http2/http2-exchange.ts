// One request on one stream:
//
//   open ──(answer complete)──▶ answered
//   open ──(deadline | signal)──▶ cancelled by us: RST_STREAM CANCEL
//   open ──(RST_STREAM, GOAWAY, connection gone)──▶ failed
//
// It is settled when the stream closes and never before: only then is everything known that tells "never acted on" from
// "may have been acted on" (the reset code, and the last stream id of a GOAWAY that took the session down).
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { Http2Error } from './http2-error.ts'

/** Bytes of an answer that are kept; push services answer in a few hundred, and the rest must not fill the memory. */
const MAX_BODY_BYTES = 64 * 1024

export interface Http2Request {
  path: string
  /** Without pseudo-headers. May be shared by many requests: it is not changed. */
  headers: Readonly<OutgoingHttpHeaders>
  body: Buffer
  signal: AbortSignal
}

export interface Http2Response {
  status: number
  headers: IncomingHttpHeaders
  /** At most 64 KB; what came after that is dropped. */
  body: Buffer
}

/** What an exchange has to know of its session when its stream closes. */
export interface ExchangeSession {
  session: ClientHttp2Session
  /** The last stream the server acts on, once it sent a GOAWAY. */
  goawayLastStreamId(): number | undefined
}

/** POSTs on a new stream of the session. @throws Http2Error, and what `session.request` throws at once */
export function exchange(owner: ExchangeSession, request: Http2Request, timeoutMs: number): Promise<Http2Response> {
  const stream = owner.session.request({ ...request.headers, ':method': 'POST', ':path': request.path })
  return new Promise((resolve, reject) => {
    const answer = collectAnswer(stream)
    let cancelled: 'timeout' | 'aborted' | undefined
    const cancel = (why: 'timeout' | 'aborted') => {
      cancelled = why
      stream.close(constants.NGHTTP2_CANCEL)
    }
    const onAbort = () => cancel('aborted')
    const deadline = setTimeout(cancel, timeoutMs, 'timeout')
    request.signal.addEventListener('abort', onAbort, { once: true })

    // Without a listener a stream's error ends the process. What it says is judged when the stream closes.
    stream.on('error', () => undefined)
    // A GOAWAY or REFUSED_STREAM may end a stream without any error event: 'close' is the only one that always comes.
    stream.once('close', () => {
      clearTimeout(deadline)
      request.signal.removeEventListener('abort', onAbort)
      const response = answer()
      if (response) resolve(response)
      else if (cancelled === 'aborted') reject(new Http2Error('aborted', 'aborted'))
      else reject(failureOf(owner, stream, cancelled === 'timeout'))
    })
    stream.end(request.body)
  })
}

/** Reads the answer; the returned function gives it once it is complete, undefined until then. */
function collectAnswer(stream: ClientHttp2Stream): () => Http2Response | undefined {
  const chunks: Buffer[] = []
  let length = 0
  let headers: IncomingHttpHeaders | undefined
  let status = 0
  let complete = false
  // Informational answers (1xx) come as 'headers' events and are of no interest.
  stream.once('response', (received) => {
    headers = received
    status = received[':status'] ?? 0
  })
  stream.on('data', (chunk: Buffer) => {
    // Reading goes on above the limit: an unread body holds the connection's flow-control window (RFC 9113 section 5.2).
    if (length < MAX_BODY_BYTES) chunks.push(chunk.subarray(0, MAX_BODY_BYTES - length))
    length += chunk.length
  })
  stream.once('end', () => {
    // 'end' also comes when a stream is torn down: only END_STREAM of the server's makes the answer whole.
    complete = stream.rstCode === constants.NGHTTP2_NO_ERROR && !stream.aborted
  })
  return () => (complete && headers ? { status, headers, body: Buffer.concat(chunks) } : undefined)
}

function failureOf(owner: ExchangeSession, stream: ClientHttp2Stream, timedOut: boolean): Http2Error {
  // No id: the stream was never opened on the wire.
  if (stream.id === undefined || stream.pending)
    return new Http2Error('unsent', timedOut ? 'timeout' : 'connection_lost')
  // RFC 9113 section 8.7: a refused stream has not been processed. Not sending it again would lose the push.
  if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) return new Http2Error('unsent', 'refused_stream')
  // RFC 9113 section 6.8: streams above the last id of a GOAWAY were not and will not be processed.
  const lastStreamId = owner.goawayLastStreamId()
  if (lastStreamId !== undefined && stream.id > lastStreamId) return new Http2Error('unsent', 'goaway')
  if (timedOut) return new Http2Error('ambiguous', 'timeout')
  return new Http2Error('ambiguous', owner.session.destroyed ? 'connection_lost' : 'stream_reset')
}
