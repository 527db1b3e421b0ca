// Scans JSON (RFC 8259) as bytes, without building values. Each function takes a position and returns the position
// after the bytes that it has read. `scanValue` checks the grammar and the depth, with the limits of Go's
// encoding/json, which is the decoder of the Centrifugo node. The `skip…` functions pass over values that were scanned
// before. They check only quotes and brackets, so they take half of the time; on invalid JSON they return a meaningless
// position, but they end. All functions take linear time, and nested containers need no call stack.
import { JsonSyntaxError } from './json-syntax-error.ts'

/** The deepest nesting of objects and arrays, as in Go's encoding/json (`maxNestingDepth`). */
const MAX_DEPTH = 10_000

// These constants are private to this file: V8 reads an imported constant from memory at each use, so a scan would be
// slower.
const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const LETTER_F = 0x66
const LETTER_N = 0x6e
const LETTER_T = 0x74
const LETTER_U = 0x75
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null'

/** The kind of a valid value. @param from the position of the first byte of the value */
export function kindAt(source: Buffer, from: number): JsonKind {
  switch (source[from]) {
    case OPEN_BRACE:
      return 'object'
    case OPEN_BRACKET:
      return 'array'
    case QUOTE:
      return 'string'
    case LETTER_T:
    case LETTER_F:
      return 'boolean'
    case LETTER_N:
      return 'null'
    default:
      return 'number'
  }
}

/** The position of the first byte at or after `from` that is not white space between tokens. */
export function skipSpace(source: Buffer, from: number): number {
  let at = from
  while (isSpace(source[at])) at++
  return at
}

/** The position after a valid value. @param from the position of the first byte of the value */
export function skipValue(source: Buffer, from: number): number {
  const first = source[from]
  if (first === QUOTE) return skipString(source, from)
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return skipContainer(source, from)
  let at = from
  while (!endsScalar(source[at])) at++
  return at
}

/** The position after a valid string. @param from the position of the opening quote */
export function skipString(source: Buffer, from: number): number {
  let at = from + 1
  for (;;) {
    const byte = source[at]
    if (byte === QUOTE || byte === undefined) return at + 1
    at += byte === BACKSLASH ? 2 : 1
  }
}

/**
 * The position of the next item of an array, or of the next key of an object; undefined at the end of the container.
 * @param from the position after the opening bracket or brace, or after an item
 */
export function nextItem(source: Buffer, from: number): number | undefined {
  let at = skipSpace(source, from)
  if (source[at] === COMMA) at = skipSpace(source, at + 1)
  const byte = source[at]
  return byte === CLOSE_BRACKET || byte === CLOSE_BRACE || byte === undefined ? undefined : at
}

/**
 * Checks one JSON value of any kind. Returns the position after it.
 * @param from the position of the first byte of the value
 * @throws JsonSyntaxError
 */
export function scanValue(source: Buffer, from: number): number {
  // The opening bytes of the objects and arrays that are not closed yet.
  const open: number[] = []
  let at = from
  for (;;) {
    const first = source[at]
    if (first === OPEN_BRACE || first === OPEN_BRACKET) {
      if (open.length === MAX_DEPTH) throw new JsonSyntaxError('nested too deep', at)
      at = skipSpace(source, at + 1)
      if (source[at] !== closingByte(first)) {
        open.push(first)
        if (first === OPEN_BRACE) at = scanKey(source, at)
        continue
      }
      at++
    } else {
      at = scanScalar(source, at)
    }
    // A value is complete. Closing brackets may follow that complete its containers, until a comma starts the next
    // value.
    for (;;) {
      const container = open.at(-1)
      if (container === undefined) return at
      at = skipSpace(source, at)
      if (source[at] === COMMA) {
        at = skipSpace(source, at + 1)
        if (container === OPEN_BRACE) at = scanKey(source, at)
        break
      }
      if (source[at] !== closingByte(container)) throw new JsonSyntaxError('expected a comma or the end', at)
      open.pop()
      at++
    }
  }
}

function skipContainer(source: Buffer, from: number): number {
  let depth = 0
  let at = from
  for (;;) {
    const byte = source[at]
    if (byte === QUOTE) {
      at = skipString(source, at)
      continue
    }
    at++
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++
    else if (byte === undefined) return at
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--
      if (depth === 0) return at
    }
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

/** Whether a byte ends the number or literal before it. */
function endsScalar(byte: number | undefined): boolean {
  return byte === undefined || byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || isSpace(byte)
}

/** The closing byte of a container. In ASCII it is two higher than the opening one. */
function closingByte(opening: number): number {
  return opening + 2
}

/** Scans the key of a member and its colon. Returns the position of the member's value. */
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
    case LETTER_T:
      return scanLiteral(source, from, 'true')
    case LETTER_F:
      return scanLiteral(source, from, 'false')
    case LETTER_N:
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
    let byte = source[at]
    while (byte !== undefined && byte !== QUOTE && byte !== BACKSLASH && byte >= 0x20) byte = source[++at]
    if (byte === QUOTE) return at + 1
    if (byte !== BACKSLASH) throw new JsonSyntaxError('string not closed or with a control character', at)
    at = scanEscape(source, at)
  }
}
function scanEscape(source: Buffer, from: number): number {
  const letter = source[from + 1]
  if (letter === LETTER_U) {
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
