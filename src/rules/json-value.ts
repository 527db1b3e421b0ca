// Values of a valid JSON text as ranges of its bytes, so that a notification is checked without building its values.
import { readMembers } from '../json/object-members.ts'
import { type JsonKind, kindAt, nextItem, skipValue } from '../json/scanner.ts'
import { decodeString } from '../json/strings.ts'

/** One value in a JSON text. */
export interface JsonValue {
  source: Buffer
  /** The position of its first byte. */
  start: number
  /** The position after its last byte. */
  end: number
}

/** The object that the bytes of a notification contain. @param json a valid JSON object, with or without white space */
export function rootOf(json: Buffer): JsonValue {
  return { source: json, start: json.indexOf('{'), end: json.length }
}

export function kindOf({ source, start }: JsonValue): JsonKind {
  return kindAt(source, start)
}

/** The decoded text of a string. */
export function textOf({ source, start, end }: JsonValue): string {
  return decodeString(source, start, end)
}

/** The text of a number or a literal as it is written. */
export function literalOf({ source, start, end }: JsonValue): string {
  return source.toString('latin1', start, end)
}

/** The members of an object in their order, with duplicates; none for other kinds. */
export function* membersOf(value: JsonValue): Generator<[name: string, value: JsonValue], void> {
  const { source } = value
  if (kindOf(value) !== 'object') return
  for (const { name, valueStart, valueEnd } of readMembers(source, value.start)) {
    yield [name, { source, start: valueStart, end: valueEnd }]
  }
}

/** The member of an object with this name; the last one of several. Undefined if there is none. */
export function memberOf(value: JsonValue, ...names: readonly string[]): JsonValue | undefined {
  let found: JsonValue | undefined
  for (const [name, member] of membersOf(value)) if (names.includes(name)) found = member
  return found
}

/** The items of an array; none for other kinds. */
export function* itemsOf(value: JsonValue): Generator<JsonValue, void> {
  const { source } = value
  if (kindOf(value) !== 'array') return
  let at = nextItem(source, value.start + 1)
  while (at !== undefined) {
    const end = skipValue(source, at)
    yield { source, start: at, end }
    at = nextItem(source, end)
  }
}
