import { hash } from 'node:crypto'
import { compactJson, JsonText } from '../json/json-text.ts'

/**
 * The hash of a send whose request has no uid. Its uid is made, so no repetition of the request can name it, and no
 * SHA-256 of another request is equal.
 */
export const HASH_WITHOUT_UID = Buffer.alloc(32)

/**
 * The hash of a request, by which a repeated request is told from a different one with the same uid: SHA-256 over the
 * decoded fields in the order of their numbers, with maps sorted by key and raw JSON without insignificant white space.
 * So it does not depend on white space, on the order of fields, or on zero values that are written out. Hashes are
 * stored, so the algorithm must not change.
 */
export function hashRequest(request: object): Buffer {
  const parts: Buffer[] = []
  const rest = write(request, '', parts)
  // One call for all bytes: each call of an incremental hash takes as long as writing ten fields.
  return hash('sha256', Buffer.concat([...parts, Buffer.from(rest)]), 'buffer')
}

/**
 * Writes a value with its type and length, so that different requests never give the same bytes.
 * @param text the text before it, which is not in `parts` yet
 * @param parts the bytes before that text; JSON is added to them with its own bytes
 * @returns the text that is not in `parts` yet
 */
function write(value: unknown, text: string, parts: Buffer[]): string {
  if (typeof value === 'string') return value === '' ? `${text}s0:` : `${text}s${Buffer.byteLength(value)}:${value}`
  if (value instanceof JsonText) {
    const bytes = compactJson(value)
    parts.push(Buffer.from(`${text}j${bytes.length}:`), bytes)
    return ''
  }
  if (value instanceof Map) {
    const entries = [...value].sort(([a], [b]) => (a < b ? -1 : 1))
    return entries.reduce((before, entry) => write(entry, before, parts), `${text}m${value.size}:`)
  }
  if (Array.isArray(value)) {
    let written = `${text}a${value.length}:`
    for (const item of value) written = write(item, written, parts)
    return written
  }
  if (!isFields(value)) return write(String(value), text, parts)
  let written = text
  // Not Object.entries(): its arrays would take as long as the rest.
  for (const name in value) {
    const field = value[name]
    if (field !== undefined) written = write(field, `${written}f${name}:`, parts)
  }
  return `${written}e`
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
