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
  hash.update(write(hash, '', request))
  return hash.digest()
}

/**
 * Writes a value behind `text`, with its type and length, so that different requests never give the same bytes. The
 * texts between two JSON values are hashed at once, because a call of the hash takes as long as writing ten fields.
 * @returns the text that is not hashed yet
 */
function write(hash: Hash, text: string, value: unknown): string {
  if (value instanceof JsonText) {
    const bytes = compactJson(value)
    hash.update(`${text}j${bytes.length}:`).update(bytes)
    return ''
  }
  if (value instanceof Map) {
    const entries = [...value].sort(([a], [b]) => (a < b ? -1 : 1))
    return entries.reduce<string>((all, entry) => write(hash, all, entry), `${text}m${entries.length}:`)
  }
  if (Array.isArray(value)) {
    return value.reduce<string>((all, item) => write(hash, all, item), `${text}a${value.length}:`)
  }
  if (typeof value === 'object' && value !== null) {
    let all = text
    for (const [name, field] of Object.entries(value)) {
      if (field !== undefined) all = write(hash, `${all}f${name}:`, field)
    }
    return `${all}e`
  }
  const scalar = String(value)
  return `${text}s${Buffer.byteLength(scalar)}:${scalar}`
}
