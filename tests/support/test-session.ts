// An HTTP/2 session without a socket, and the results of its requests.
import { encodeSharedFields } from '../../src/http2/hpack/field-writer.ts'
import type { Http2Batch } from '../../src/http2/http2-client.ts'
import { WantedHeaders } from '../../src/http2/session/answer-fields.ts'
import { Http2Session } from '../../src/http2/session/http2-session.ts'
import type { RequestSource } from '../../src/http2/session/request-source.ts'

/** A session and its batch. */
export interface TestSession {
  session: Http2Session
  source: RequestSource
  /** The results of each request, by index. More than one is an error. */
  results: string[][]
}

/** Makes a session, and a batch whose requests tests open with `session.open(source, index, nowMs)`. */
export function startSession(count: number, bodies: readonly string[] = [], firstStreamId = 1): TestSession {
  const results: string[][] = Array.from({ length: count }, () => [])
  const batch: Http2Batch = {
    count,
    path: (index) => `/${index}`,
    headers: {},
    writeBody: (index, body) => body.text(bodies[index] ?? ''),
    signal: new AbortController().signal,
    onAnswer: (index, { status }) => results[index]?.push(String(status)),
    onFailure: (index, error) => results[index]?.push(error.code),
  }
  const source: RequestSource = {
    batch,
    sharedFields: encodeSharedFields({ method: 'POST', authority: 'x', path: undefined, headers: {} }),
    wanted: new WantedHeaders(['retry-after', 'apns-id']),
    answered: (index, answer) => batch.onAnswer(index, answer),
    failed: (index, error) => batch.onFailure(index, error),
  }
  const events = { onPeerSettings: () => undefined, onPingAck: () => undefined, onGoaway: () => undefined }
  const session = new Http2Session({
    events,
    maxStreams: 1000,
    requestTimeoutMs: 100,
    firstStreamId,
    nowMs: () => performance.now(),
  })
  return { session, source, results }
}
