// JSON as the bytes that it was read from. A request is checked once and then read as slices of its own bytes, so
// `data`, `message` and `payload` arrive unchanged: with big integers, `1.0`, escapes, the order of keys and duplicate
// keys.
import { JsonLimitError } from './json-limit-error.ts'
import { JsonSyntaxError } from './json-syntax-error.ts'
import { readMembers } from './object-members.ts'
import { type JsonKind, kindAt, nextItem, scanValue, skipSpace, skipString, skipValue } from './scanner.ts'
import { decodeString } from './strings.ts'

const QUOTE = 0x22

/**
 * Fields and items that are read of one document, in sum. A batch of 100,000 commands with twenty fields each has as
 * many. Reading them takes a second, and a process lacks the memory for the twelve million that fit into 60 MB.
 */
const MAX_ENTRIES = 2_000_000

/** A source and the number of its fields and items that were read. All values of a document share it. */
class JsonDocument {
  readonly source: Buffer
  #entries = 0

  constructor(source: Buffer) {
    this.source = source
  }

  /** @throws JsonLimitError */
  countEntry(): void {
    if (++this.#entries > MAX_ENTRIES) throw new JsonLimitError(MAX_ENTRIES)
  }
}

/** One valid JSON value, as a range of the bytes that it was read from. */
export class JsonText {
  readonly #document: JsonDocument
  readonly #start: number
  readonly #end: number

  /** Makes a JsonText of the bytes from `start` to `end`. The caller has checked that they are one valid JSON value. */
  constructor(document: JsonDocument, start: number, end: number) {
    this.#document = document
    this.#start = start
    this.#end = end
  }

  /** The bytes of the value without the white space around it: a view, not a copy. */
  get bytes(): Buffer {
    return this.#document.source.subarray(this.#start, this.#end)
  }

  get kind(): JsonKind {
    return kindAt(this.#document.source, this.#start)
  }

  /**
   * The fields of an object in their order, duplicates included. None for every other kind.
   * @throws JsonLimitError when too many fields and items of the document were read
   */
  *fields(): Generator<[name: string, value: JsonText], void> {
    if (this.kind !== 'object') return
    for (const { name, valueStart, valueEnd } of readMembers(this.#document.source, this.#start)) {
      this.#document.countEntry()
      yield [name, new JsonText(this.#document, valueStart, valueEnd)]
    }
  }

  /**
   * The items of an array. None for every other kind.
   * @throws JsonLimitError when too many fields and items of the document were read
   */
  *items(): Generator<JsonText, void> {
    if (this.kind !== 'array') return
    const { source } = this.#document
    let at = nextItem(source, this.#start + 1)
    while (at !== undefined) {
      this.#document.countEntry()
      const end = skipValue(source, at)
      yield new JsonText(this.#document, at, end)
      at = nextItem(source, end)
    }
  }

  /** The text of a string, decoded as Go decodes it: invalid UTF-8 and lone surrogates become U+FFFD. */
  string(): string {
    return decodeString(this.#document.source, this.#start, this.#end)
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
  return { text: new JsonText(new JsonDocument(source), start, end), end }
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
