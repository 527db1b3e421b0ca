import { skipSpace, skipString } from '../json/scanner.ts'
import type { JsonValue } from './json-value.ts'

const QUOTE = 0x22

/** The bytes of a JSON value without insignificant white space, which providers may not count. */
export function compactLength({ source, start, end }: JsonValue): number {
  let spaces = 0
  for (let at = start; at < end; ) {
    const next = skipSpace(source, at)
    spaces += next - at
    at = source[next] === QUOTE ? skipString(source, next) : next + 1
  }
  return end - start - spaces
}
