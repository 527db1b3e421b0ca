import { createHash, type Hash } from 'node:crypto'
import { compactJson, JsonText } from '../json/json-text.ts'

/**
 * The hash of a request, by which a repeated request is told from a different one with the same uid: SHA-256 over the
 * decoded fields in the order of their numbers, with maps sorted by key and raw JSON without insignificant white space.
 * So it does not depend on white space, on the order of fields, or on zero values that are written out. Hashes are
 * stored, so the algorithm must not change.
 */
export function hashRequest(request: object): Buffer {
  const hash = createHash('sha256')
  update(hash, request)
  return hash.digest()
}

/** Adds a value to the hash, with its type and length, so that different requests never give the same bytes. */
function update(hash: Hash, value: unknown): void {
  if (value instanceof JsonText) {
    const bytes = compactJson(value)
    hash.update(`j${bytes.length}:`).update(bytes)
  } else if (value instanceof Map) {
    const entries = [...value].sort(([a], [b]) => (a < b ? -1 : 1))
    hash.update(`m${entries.length}:`)
    for (const entry of entries) update(hash, entry)
  } else if (Array.isArray(value)) {
    hash.update(`a${value.length}:`)
    for (const item of value) update(hash, item)
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, field] of Object.entries(value)) {
      if (field === undefined) continue
      hash.update(`f${name}:`)
      update(hash, field)
    }
    hash.update('e')
  } else {
    const text = String(value)
    hash.update(`s${Buffer.byteLength(text)}:${text}`)
  }
}
