// Splits an action of a template, from `{{` to `}}`, into tokens.
import { decodeSource, type SourceText } from '../json/source-text.ts'
import { TemplateError } from './template-error.ts'

/** A token of an action in a template. */
export type Token = (
  | { kind: 'field'; path: readonly string[] }
  | { kind: 'name'; name: string }
  | { kind: 'literal'; text: string }
  | { kind: '(' | ')' | '|' }
) & {
  /** The position of the token in the source. */
  offset: number
  /** Whether there is white space before the token. */
  isApart: boolean
}

/** The delimiter at the start of an action. */
export const LEFT = '{{'
/** The delimiter at the end of an action. */
export const RIGHT = '}}'

const SPACE = /[ \t\r\n]+/y
/**
 * A field such as `.device.user`. Bytes from 0x80 on can belong to letters of other alphabets; whether they do is
 * checked after decoding.
 */
const FIELD = /(?:\.[\w\x80-\xff]+)+/y
const NAME = /[a-zA-Z_]\w*/y
const SIGN = /[()|]/y
/**
 * A literal: `[[…]]` or Go's `…`, both without escapes, or Go's "…" with the escapes that Go and JSON have in common.
 */
const LITERAL = /\[\[([\s\S]*?)\]\]|`([^`]*)`|"((?:[^"\\\n]|\\(?:[\\"bfnrt]|u[\da-fA-F]{4}))*)"/y
const IDENTIFIER = /^[\p{L}_][\p{L}\p{Nd}_]*$/u

/**
 * Reads the tokens of one action.
 * @param from the position after the `{{` of the action, in `source.bytes`
 * @returns the tokens, and the position after the `}}` of the action
 * @throws TemplateError
 */
export function readAction(source: SourceText, from: number): { tokens: Token[]; end: number } {
  const { bytes } = source
  const tokens: Token[] = []
  let at = from
  for (;;) {
    const start = at
    at += match(SPACE, bytes, at)?.[0].length ?? 0
    if (bytes.startsWith(RIGHT, at)) return { tokens, end: at + RIGHT.length }
    if (at === bytes.length) throw failAt(source, 'expression not closed', from - LEFT.length)
    const { token, length } = readToken(source, at, at > start)
    tokens.push(token)
    at += length
  }
}

/** Makes the error for a problem at a position in `source.bytes`. */
export function failAt(source: SourceText, problem: string, at: number): TemplateError {
  return new TemplateError(problem, source.offsets[at] ?? 0)
}

function readToken(source: SourceText, at: number, isApart: boolean): { token: Token; length: number } {
  const { bytes, offsets } = source
  const place = { offset: offsets[at] ?? 0, isApart }
  const field = match(FIELD, bytes, at)
  if (field) {
    const path = decodeSource(field[0]).slice(1).split('.')
    if (!path.every((name) => IDENTIFIER.test(name))) {
      throw failAt(source, 'field name with characters that only index accepts', at)
    }
    return { token: { kind: 'field', path, ...place }, length: field[0].length }
  }
  const literal = match(LITERAL, bytes, at)
  if (literal) return { token: { kind: 'literal', text: textOf(literal), ...place }, length: literal[0].length }
  const name = match(NAME, bytes, at)?.[0]
  if (name !== undefined) return { token: { kind: 'name', name, ...place }, length: name.length }
  const sign = match(SIGN, bytes, at)?.[0]
  if (sign === '(' || sign === ')' || sign === '|') return { token: { kind: sign, ...place }, length: 1 }
  throw failAt(source, 'unexpected character', at)
}

function textOf([, bracketed, raw, quoted]: RegExpExecArray): string {
  if (quoted === undefined) return decodeSource(bracketed ?? raw ?? '')
  const text = decodeSource(quoted).replace(/\\(u....|.)/g, (escaped) => String(JSON.parse(`"${escaped}"`)))
  return text.toWellFormed()
}

function match(pattern: RegExp, bytes: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(bytes)
}
