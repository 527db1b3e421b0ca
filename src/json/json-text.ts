// JSON as the bytes that it was read from. A request is checked once and then read as slices of its own bytes, so
// `data`, `message` and `payload` arrive unchanged: with big integers, `1.0`, escapes, the order of keys and duplicate
// keys.
import { JsonSyntaxError } from './json-syntax-error.ts'
import { readMembers } from './object-members.ts'
import { type JsonKind, kindAt, nextItem, scanValue, skipSpace, skipString, skipValue } from './scanner.ts'
import { decodeString } from './strings.ts'

const QUOTE = 0x22

/** One valid JSON value, as a range of the bytes that it was read from. */
export class JsonText {
  readonly #source: Buffer
  readonly #start: number
  readonly #end: number

  /** Makes a JsonText of the bytes from `start` to `end`. The caller has checked that they are one valid JSON value. */
  constructor(source: Buffer, start: number, end: number) {
    this.#source = source
    this.#start = start
    this.#end = end
  }

  /** The bytes of the value without the white space around it: a view, not a copy. */
  get bytes(): Buffer {
    return this.#source.subarray(this.#start, this.#end)
  }

  get kind(): JsonKind {
    return kindAt(this.#source, this.#start)
  }

  /**
   * The fields of an object in their order, with duplicates. Empty if the value is not an object.
   * @param limit reading stops when one field more than this was read
   */
  fields(limit = Number.POSITIVE_INFINITY): [name: string, value: JsonText][] {
    if (this.kind !== 'object') return []
    return readMembers(this.#source, this.#start, limit).map(({ name, valueStart, valueEnd }) => [
      name,
      new JsonText(this.#source, valueStart, valueEnd),
    ])
  }

  /**
   * The items of an array. Empty if the value is not an array.
   * @param limit reading stops when one item more than this was read
   */
  items(limit = Number.POSITIVE_INFINITY): JsonText[] {
    if (this.kind !== 'array') return []
    const items: JsonText[] = []
    let at = nextItem(this.#source, this.#start + 1)
    while (at !== undefined && items.length <= limit) {
      const end = skipValue(this.#source, at)
      items.push(new JsonText(this.#source, at, end))
      at = nextItem(this.#source, end)
    }
    return items
  }

  /** The text of a string, decoded as Go decodes it: invalid UTF-8 and lone surrogates become U+FFFD. */
  string(): string {
    return decodeString(this.#source, this.#start, this.#end)
  }
}

/** Parses bytes that contain one JSON value and nothing else but white space. @throws JsonSyntaxError */
export function parseJsonText(source: Buffer): JsonText {
  const value = readJsonText(source, 0)
  if (!value) throw new JsonSyntaxError('unexpected end of JSON', source.length)
  const rest = skipSpace(source, value.end)
  if (rest !== source.length) throw new JsonSyntaxError('unexpected data after the value', rest)
  return value.text
}

/**
 * Parses the next JSON value of several that follow each other.
 * @param from the position to read from: 0, or the `end` of the previous value
 * @returns undefined if only white space is left
 * @throws JsonSyntaxError
 */
export function readJsonText(source: Buffer, from: number): { text: JsonText; end: number } | undefined {
  const start = skipSpace(source, from)
  if (start === source.length) return undefined
  const end = scanValue(source, start)
  return { text: new JsonText(source, start, end), end }
}

/** The value without insignificant white space. All other bytes are unchanged. */
export function compactJson(text: JsonText): Buffer {
  const { bytes } = text
  const out = Buffer.allocUnsafe(bytes.length)
  let length = 0
  // The first byte that is not copied yet. A run of bytes without white space is copied in one step.
  let runStart = 0
  for (let at = 0; at < bytes.length; ) {
    const afterSpace = skipSpace(bytes, at)
    if (afterSpace > at) {
      length += bytes.copy(out, length, runStart, at)
      runStart = afterSpace
    }
    at = bytes[afterSpace] === QUOTE ? skipString(bytes, afterSpace) : afterSpace + 1
  }
  length += bytes.copy(out, length, runStart)
  return out.subarray(0, length)
}
