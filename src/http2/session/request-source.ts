import type { Http2Answer, Http2Batch } from '../http2-client.ts'
import type { Http2Error } from '../http2-error.ts'
import type { WantedHeaders } from './answer-fields.ts'

/** The batch of a request as a session sees it. For each request, it receives one call: `answered` or `failed`. */
export interface RequestSource {
  /** Writes the requests. */
  readonly batch: Http2Batch
  /** The encoded header fields that all requests share. */
  readonly sharedFields: Buffer
  /** The headers to read from answers. */
  readonly wanted: WantedHeaders
  /** The request was answered. `answer` is valid during the call only. */
  answered(index: number, answer: Http2Answer): void
  /** The request has no answer. */
  failed(index: number, error: Http2Error): void
}
