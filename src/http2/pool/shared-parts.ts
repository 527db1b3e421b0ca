import { encodeSharedFields } from '../hpack/field-writer.ts'
import type { HeaderFields, Http2Batch } from '../http2-client.ts'
import { WantedHeaders } from '../session/answer-fields.ts'

/**
 * The parts that all requests of a batch share, as a session needs them. A provider may send each target as a batch of
 * its own with the same headers: for these, the fields are encoded once.
 */
export class SharedParts {
  readonly #authority: string
  /** By the names, joined. A provider reads few headers. */
  readonly #wanted = new Map<string, WantedHeaders>()
  #last: { headers: HeaderFields; method: string; path: string | undefined; fields: Buffer } | undefined

  /** @param authority the host and port of the server */
  constructor(authority: string) {
    this.#authority = authority
  }

  /** The headers to read from answers. */
  wantedBy({ answerHeaders = [] }: Http2Batch): WantedHeaders {
    const key = answerHeaders.join()
    const known = this.#wanted.get(key) ?? new WantedHeaders(answerHeaders)
    this.#wanted.set(key, known)
    return known
  }

  /** The encoded header fields. @throws InvalidRequest */
  fieldsOf({ method = 'POST', path: given, headers }: Http2Batch): Buffer {
    const path = typeof given === 'string' ? given : undefined
    const last = this.#last
    if (last && last.headers === headers && last.method === method && last.path === path) return last.fields
    const fields = encodeSharedFields({ method, authority: this.#authority, path, headers })
    this.#last = { headers, method, path, fields }
    return fields
  }
}
