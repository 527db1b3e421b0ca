// RFC 8259 JSON over bytes, without building values. A request is checked once and then read as slices of its own
// bytes, so that `data`, `message` and `payload` leave exactly as they came: big integers, `1.0`, escapes, key order and
// duplicate keys survive. The grammar and the depth limit are those of Go's encoding/json, which a node decodes with.

/** Containers may nest this deep, as in Go's encoding/json (`maxNestingDepth`); one more does not decode. */
const MAX_DEPTH = 10_000

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** The bytes are not JSON. `offset` is where, in bytes from the start of what was scanned. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError'
  readonly offset: number

  constructor(what: string, offset: number) {
    super(`${what} at byte ${offset}`)
    this.offset = offset
  }
}

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null'

/** One valid JSON value, as the bytes it was written with. */
export class JsonText {
  readonly #source: Buffer
  readonly #start: number
  readonly #end: number

  constructor(source: Buffer, start: number, end: number) {
    this.#source = source
    this.#start = start
    this.#end = end
  }

  /** The value's own bytes, without the white space around it; a view, not a copy. */
  get bytes(): Buffer {
    return this.#source.subarray(this.#start, this.#end)
  }

  get kind(): JsonKind {
    switch (this.#source[this.#start]) {
      case OPEN_BRACE:
        return 'object'
      case OPEN_BRACKET:
        return 'array'
      case QUOTE:
        return 'string'
      case 0x74:
      case 0x66:
        return 'boolean'
      case 0x6e:
        return 'null'
      default:
        return 'number'
    }
  }

  /**
   * The fields of an object in the order written, duplicates included; reading stops after one more than `limit`. Empty
   * for anything else.
   */
  fields(limit = Number.POSITIVE_INFINITY): [name: string, value: JsonText][] {
    if (this.kind !== 'object') return []
    const fields: [string, JsonText][] = []
    let at = skipSpace(this.#source, this.#start + 1)
    while (this.#source[at] !== CLOSE_BRACE && fields.length <= limit) {
      const keyEnd = scanString(this.#source, at)
      const name = decodeString(this.#source, at, keyEnd)
      const valueStart = skipSpace(this.#source, skipSpace(this.#source, keyEnd) + 1)
      const valueEnd = scanValue(this.#source, valueStart)
      fields.push([name, new JsonText(this.#source, valueStart, valueEnd)])
      at = skipSpace(this.#source, valueEnd)
      if (this.#source[at] === COMMA) at = skipSpace(this.#source, at + 1)
    }
    return fields
  }

  /** The items of an array, reading stops after one more than `limit`. Empty for anything else. */
  items(limit = Number.POSITIVE_INFINITY): JsonText[] {
    if (this.kind !== 'array') return []
    const items: JsonText[] = []
    let at = skipSpace(this.#source, this.#start + 1)
    while (this.#source[at] !== CLOSE_BRACKET && items.length <= limit) {
      const end = scanValue(this.#source, at)
      items.push(new JsonText(this.#source, at, end))
      at = skipSpace(this.#source, end)
      if (this.#source[at] === COMMA) at = skipSpace(this.#source, at + 1)
    }
    return items
  }

  /** The text of a string, decoded as Go does: what isn't Unicode (stray bytes, lone surrogates) becomes U+FFFD. */
  string(): string {
    return decodeString(this.#source, this.#start, this.#end)
  }
}

/** Reads bytes that are one JSON value and nothing else but white space. @throws JsonSyntaxError */
export function parseJsonText(source: Buffer): JsonText {
  const value = readJsonText(source, 0)
  if (!value) throw new JsonSyntaxError('unexpected end of JSON', source.length)
  const rest = skipSpace(source, value.end)
  if (rest !== source.length) throw new JsonSyntaxError('unexpected data after the value', rest)
  return value.text
}

/**
 * Reads the next of several JSON values written one after another, from byte `from` on.
 * Undefined when only white space is left. `end` is where to go on. @throws JsonSyntaxError
 */
export function readJsonText(source: Buffer, from: number): { text: JsonText; end: number } | undefined {
  const start = skipSpace(source, from)
  if (start === source.length) return undefined
  const end = scanValue(source, start)
  return { text: new JsonText(source, start, end), end }
}

/** The same value without insignificant white space; the bytes of every token stay. */
export function compactJson(text: JsonText): Buffer {
  const { bytes } = text
  const out = Buffer.allocUnsafe(bytes.length)
  let length = 0
  for (let at = 0; at < bytes.length; ) {
    const end = bytes[at] === QUOTE ? scanString(bytes, at) : at + 1
    if (!isSpace(bytes[at])) {
      bytes.copy(out, length, at, end)
      length += end - at
    }
    at = end
  }
  return out.subarray(0, length)
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function skipSpace(source: Buffer, from: number): number {
  let at = from
  while (isSpace(source[at])) at++
  return at
}

/** Where the value that starts at `from` ends. Its own stack: depth is bounded, the call stack is not involved. */
function scanValue(source: Buffer, from: number): number {
  const open: number[] = []
  let at = from
  for (;;) {
    const first = source[at]
    if (first === OPEN_BRACE || first === OPEN_BRACKET) {
      if (open.length === MAX_DEPTH) throw new JsonSyntaxError('nested too deep', at)
      open.push(first)
      at = skipSpace(source, at + 1)
      if (source[at] !== first + 2) {
        if (first === OPEN_BRACE) at = scanKey(source, at)
        continue
      }
      open.pop()
      at++
    } else {
      at = scanScalar(source, at)
    }
    // A value is complete: close what it completes, until a comma asks for another.
    for (;;) {
      const container = open.at(-1)
      if (container === undefined) return at
      at = skipSpace(source, at)
      if (source[at] === COMMA) {
        at = skipSpace(source, at + 1)
        if (container === OPEN_BRACE) at = scanKey(source, at)
        break
      }
      // In ASCII the closing bracket or brace stands two after the opening one.
      if (source[at] !== container + 2) throw new JsonSyntaxError('expected a comma or the end', at)
      open.pop()
      at++
    }
  }
}

/** Past a key, its colon and the space after it. */
function scanKey(source: Buffer, from: number): number {
  if (source[from] !== QUOTE) throw new JsonSyntaxError('expected a key', from)
  const colon = skipSpace(source, scanString(source, from))
  if (source[colon] !== COLON) throw new JsonSyntaxError('expected a colon', colon)
  return skipSpace(source, colon + 1)
}

function scanScalar(source: Buffer, from: number): number {
  switch (source[from]) {
    case QUOTE:
      return scanString(source, from)
    case 0x74:
      return scanLiteral(source, from, 'true')
    case 0x66:
      return scanLiteral(source, from, 'false')
    case 0x6e:
      return scanLiteral(source, from, 'null')
    default:
      return scanNumber(source, from)
  }
}

function scanLiteral(source: Buffer, from: number, literal: string): number {
  for (let i = 0; i < literal.length; i++) {
    if (source[from + i] !== literal.charCodeAt(i)) throw new JsonSyntaxError('expected a value', from)
  }
  return from + literal.length
}

function scanString(source: Buffer, from: number): number {
  let at = from + 1
  for (;;) {
    const byte = source[at]
    if (byte === QUOTE) return at + 1
    if (byte === undefined || byte < 0x20)
      throw new JsonSyntaxError('string not closed or with a control character', at)
    at = byte === BACKSLASH ? scanEscape(source, at) : at + 1
  }
}

function scanEscape(source: Buffer, from: number): number {
  const letter = source[from + 1]
  if (letter === 0x75) {
    for (let i = 2; i < 6; i++) {
      if (!isHexDigit(source[from + i])) throw new JsonSyntaxError('escape needs four hex digits', from)
    }
    return from + 6
  }
  if (letter === undefined || !'"\\/bfnrt'.includes(String.fromCharCode(letter))) {
    throw new JsonSyntaxError('unknown escape', from)
  }
  return from + 2
}

function scanNumber(source: Buffer, from: number): number {
  let at = source[from] === 0x2d ? from + 1 : from
  if (source[at] === 0x30) at++
  else at = scanDigits(source, at)
  if (source[at] === 0x2e) at = scanDigits(source, at + 1)
  if (source[at] === 0x65 || source[at] === 0x45) {
    const sign = source[at + 1]
    at = scanDigits(source, sign === 0x2b || sign === 0x2d ? at + 2 : at + 1)
  }
  return at
}

function scanDigits(source: Buffer, from: number): number {
  let at = from
  while (isDigit(source[at])) at++
  if (at === from) throw new JsonSyntaxError('expected a value', from)
  return at
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}

function isHexDigit(byte: number | undefined): boolean {
  return isDigit(byte) || (byte !== undefined && (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66)
}

function decodeString(source: Buffer, start: number, end: number): string {
  if (!source.subarray(start, end).includes(BACKSLASH)) return source.toString('utf8', start + 1, end - 1)
  const decoded: unknown = JSON.parse(source.toString('utf8', start, end))
  return String(decoded).toWellFormed()
}
