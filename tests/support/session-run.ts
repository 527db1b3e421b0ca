// Requests on a session without a socket, and what became of them.

import { encodeSharedFields } from '../../src/http2/hpack/field-writer.ts'
import type { Http2Batch } from '../../src/http2/http2-client.ts'
import { WantedHeaders } from '../../src/http2/session/answer-fields.ts'
import { Http2Session } from '../../src/http2/session/http2-session.ts'
import type { RequestSource } from '../../src/http2/session/request-source.ts'

export interface SessionRun {
  session: Http2Session
  run: RequestSource
  /** How each request was settled, by index; more than one entry is a fault. */
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
  const run: RequestSource = {
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
