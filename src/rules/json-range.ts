// Values of a valid JSON text as ranges of its bytes: to measure and to change a notification that is sent as it was
// written. No depth of nesting is too much for these functions.
import { readMembers } from '../json/object-members.ts'
import { kindAt, skipSpace, skipString } from '../json/scanner.ts'
import { decodeString, escapeJson } from '../json/strings.ts'

/** One value in a JSON text. */
export interface JsonRange {
  source: Buffer
  /** The position of its first byte. */
  start: number
  /** The position after its last byte. */
  end: number
}

/** The object that the bytes of a notification contain. @param json a valid JSON object, with or without white space */
export function rangeOf(json: Buffer): JsonRange {
  return { source: json, start: json.indexOf('{'), end: json.length }
}

/** The members of an object in their order, with duplicates; none for other kinds. */
export function* membersIn({ source, start }: JsonRange): Generator<[name: string, value: JsonRange], void> {
  if (kindAt(source, start) !== 'object') return
  for (const { name, valueStart, valueEnd } of readMembers(source, start)) {
    yield [name, { source, start: valueStart, end: valueEnd }]
  }
}

/** The value at a path of names in an object, or undefined. Of several members with one name, the last one counts. */
export function findRange(object: JsonRange, ...path: readonly string[]): JsonRange | undefined {
  const [name, ...rest] = path
  if (name === undefined) return object
  let found: JsonRange | undefined
  for (const [key, value] of membersIn(object)) if (key === name) found = value
  return found && findRange(found, ...rest)
}

/** The bytes of a value: of a string its text in UTF-8, of others their JSON as measureJson() counts it. */
export function measureRange(value: JsonRange): number {
  const { source, start, end } = value
  return kindAt(source, start) === 'string' ? Buffer.byteLength(decodeString(source, start, end)) : measureJson(value)
}

/** The bytes of the JSON of a value without insignificant white space and escapes, which providers may not count. */
export function measureJson({ source, start, end }: JsonRange): number {
  let bytes = 0
  for (let at = skipSpace(source, start); at < end; at = skipSpace(source, at)) {
    if (kindAt(source, at) === 'string') {
      const next = skipString(source, at)
      bytes += Buffer.byteLength(escapeJson(decodeString(source, at, next))) + 2
      at = next
    } else {
      bytes++
      at++
    }
  }
  return bytes
}
