import { hash } from 'node:crypto'
import { compactJson, JsonText } from '../json/json-text.ts'

/**
 * The hash of a request, by which a repeated request is told from a different one with the same uid: SHA-256 over the
 * decoded fields in the order of their numbers, with maps sorted by key and raw JSON without insignificant white space.
 * So it does not depend on white space, on the order of fields, or on zero values that are written out. Hashes are
 * stored, so the algorithm must not change.
 */
export function hashRequest(request: object): Buffer {
  const written = new RequestBytes()
  written.add(request)
  // One call for all bytes: each call of an incremental hash takes as long as writing ten fields.
  return hash('sha256', written.join(), 'buffer')
}

/** The bytes that are hashed: texts, and JSON with its own bytes between them. */
class RequestBytes {
  readonly #parts: Buffer[] = []
  /** The text behind the last part. */
  #text = ''

  /** Adds a value with its type and length, so that different requests never give the same bytes. */
  add(value: unknown): void {
    if (value instanceof JsonText) {
      const bytes = compactJson(value)
      this.#text += `j${bytes.length}:`
      this.#parts.push(Buffer.from(this.#text), bytes)
      this.#text = ''
    } else if (value instanceof Map) {
      this.#text += `m${value.size}:`
      const entries = [...value].sort(([a], [b]) => (a < b ? -1 : 1))
      for (const entry of entries) this.add(entry)
    } else if (Array.isArray(value)) {
      this.#text += `a${value.length}:`
      for (const item of value) this.add(item)
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, field] of Object.entries(value)) {
        if (field === undefined) continue
        this.#text += `f${name}:`
        this.add(field)
      }
      this.#text += 'e'
    } else {
      const text = String(value)
      this.#text += `s${Buffer.byteLength(text)}:${text}`
    }
  }

  join(): Buffer {
    return Buffer.concat([...this.#parts, Buffer.from(this.#text)])
  }
}
