// What stands between `{{` and `}}`, in pieces.
import { decodeSource, type SourceText } from '../json/source-text.ts'
import { TemplateError } from './template-error.ts'

export type Token = (
  | { kind: 'field'; path: readonly string[] }
  | { kind: 'name'; name: string }
  | { kind: 'literal'; text: string }
  | { kind: '(' | ')' | '|' }
) & {
  /** Where it was written. */
  offset: number
  /** Whether white space stands before it. */
  isApart: boolean
}

export const LEFT = '{{'
export const RIGHT = '}}'

const SPACE = /[ \t\r\n]+/y
/** Bytes from 0x80 are letters of other alphabets, or what isn't a letter after all: that is checked once decoded. */
const FIELD = /(?:\.[\w\x80-\xff]+)+/y
const NAME = /[a-zA-Z_]\w*/y
const SIGN = /[()|]/y
/** `[[…]]` as it stands, Go's `…` as it stands, Go's "…" with the escapes that it shares with JSON. */
const LITERAL = /\[\[([\s\S]*?)\]\]|`([^`]*)`|"((?:[^"\\\n]|\\(?:[\\"bfnrt]|u[\da-fA-F]{4}))*)"/y
const IDENTIFIER = /^[\p{L}_][\p{L}\p{Nd}_]*$/u

/** The tokens of the action whose `{{` ends before `from`, and where its `}}` ends. @throws TemplateError */
export function readAction(source: SourceText, from: number): { tokens: Token[]; end: number } {
  const { bytes } = source
  const tokens: Token[] = []
  let at = from
  for (;;) {
    const start = at
    at += match(SPACE, bytes, at)?.[0].length ?? 0
    if (bytes.startsWith(RIGHT, at)) return { tokens, end: at + RIGHT.length }
    if (at === bytes.length) throw failAt(source, 'an expression without its end', from - LEFT.length)
    const { token, length } = readToken(source, at, at > start)
    tokens.push(token)
    at += length
  }
}

/** @param at a place in `source.bytes` */
export function failAt(source: SourceText, what: string, at: number): TemplateError {
  return new TemplateError(what, source.offsets[at] ?? 0)
}

function readToken(source: SourceText, at: number, isApart: boolean): { token: Token; length: number } {
  const { bytes, offsets } = source
  const place = { offset: offsets[at] ?? 0, isApart }
  const field = match(FIELD, bytes, at)
  if (field) {
    const path = decodeSource(field[0]).slice(1).split('.')
    if (!path.every((name) => IDENTIFIER.test(name))) {
      throw failAt(source, 'a name with other characters than letters and digits, which index can take,', at)
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
