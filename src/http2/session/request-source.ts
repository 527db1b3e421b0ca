import type { Http2Answer, Http2Batch } from '../http2-client.ts'
import type { Http2Error } from '../http2-error.ts'
import type { WantedHeaders } from './answer-fields.ts'

/** What a session has to know of the batch that a request belongs to, and whom it tells how the request ended. */
export interface RequestRun {
  readonly batch: Http2Batch
  /** The encoded header fields that all requests of the batch share. */
  readonly sharedFields: Buffer
  readonly wanted: WantedHeaders
  answered(index: number, answer: Http2Answer): void
  failed(index: number, error: Http2Error): void
}
