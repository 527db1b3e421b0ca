// Requests on a session without a socket, and their outcomes.
import { WantedHeaders } from '../../src/http2/answer-fields.ts'
import { encodeSharedFields } from '../../src/http2/field-block.ts'
import type { Http2Batch } from '../../src/http2/http2-client.ts'
import { Http2Session } from '../../src/http2/http2-session.ts'
import type { RequestRun } from '../../src/http2/request-run.ts'

export interface SessionRun {
  session: Http2Session
  run: RequestRun
  /** The outcomes of each request, by index; a second entry is a fault. */
  outcomes: string[][]
}

export function startSession(count: number, bodies: readonly string[] = [], firstStreamId = 1): SessionRun {
  const outcomes: string[][] = Array.from({ length: count }, () => [])
  const batch: Http2Batch = {
    count,
    path: (index) => `/${index}`,
    headers: {},
    writeBody: (index, body) => body.text(bodies[index] ?? ''),
    signal: new AbortController().signal,
    onAnswer: (index, { status }) => outcomes[index]?.push(String(status)),
    onFailure: (index, error) => outcomes[index]?.push(error.code),
  }
  const run: RequestRun = {
    batch,
    sharedFields: encodeSharedFields({ method: 'POST', authority: 'x', path: undefined, headers: {} }),
    wanted: new WantedHeaders(['retry-after', 'apns-id']),
    answered: (index, answer) => batch.onAnswer(index, answer),
    failed: (index, error) => batch.onFailure(index, error),
  }
  const events = { onPeerSettings: () => undefined, onPingAck: () => undefined, onGoaway: () => undefined }
  const session = new Http2Session({ events, maxStreams: 1000, requestTimeoutMs: 100, firstStreamId })
  return { session, run, outcomes }
}
