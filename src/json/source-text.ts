// The strings of a JSON document without their escapes, each byte with its position in the document. Templates are
// parsed from this form. The delimiters and keywords of a template are ASCII, so the parser finds them in undecoded
// UTF-8, and bytes that are invalid UTF-8 stay unchanged.

const QUOTE = 0x22
const BACKSLASH = 0x5c
const LETTER_U = 0x75

/** A text with the position of each of its bytes. */
export interface SourceText {
  /** The text in UTF-8, as a string with one character (U+0000 to U+00FF) for each byte. */
  bytes: string
  /**
   * The position of each byte in the source, then the position of the end. The bytes of one escape have the same
   * position.
   */
  offsets: readonly number[]
}

/**
 * All strings in a valid JSON text, with keys, in their order. The text may also be a part of one that cuts no string.
 */
export function readJsonStrings(json: Buffer): SourceText[] {
  const strings: SourceText[] = []
  let at = json.indexOf(QUOTE)
  while (at !== -1) {
    const string = readJsonString(json, at + 1)
    strings.push(string)
    at = json.indexOf(QUOTE, endOf(string) + 1)
  }
  return strings
}

/** The position in the source after the text: in JSON that of the closing quote. */
export function endOf({ offsets }: SourceText): number {
  return offsets.at(-1) ?? 0
}

/** Decodes the `bytes` of a SourceText, or a part of them. Invalid UTF-8 becomes U+FFFD. */
export function decodeSource(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

function readJsonString(json: Buffer, from: number): SourceText {
  const pieces: string[] = []
  const offsets: number[] = []
  let at = from
  while (at < json.length && json[at] !== QUOTE) {
    const start = at
    if (json[at] === BACKSLASH) {
      at += escapeLength(json, at)
      const decoded = decodeEscape(json.toString('latin1', start, at))
      for (let index = 0; index < decoded.length; index++) offsets.push(start)
      pieces.push(decoded)
    } else {
      while (at < json.length && json[at] !== QUOTE && json[at] !== BACKSLASH) offsets.push(at++)
      pieces.push(json.toString('latin1', start, at))
    }
  }
  offsets.push(at)
  return { bytes: pieces.join(''), offsets }
}

/**
 * The length of the escape at `at`. The two escapes of a surrogate pair stand for one character, so they count as one.
 */
function escapeLength(json: Buffer, at: number): number {
  if (json[at + 1] !== LETTER_U) return 2
  return /^\\u[dD][89abAB]..\\u[dD][c-fC-F]..$/.test(json.toString('latin1', at, at + 12)) ? 12 : 6
}

/** Decodes an escape to UTF-8, one character for each byte. A lone surrogate becomes U+FFFD. */
function decodeEscape(escaped: string): string {
  const text = String(JSON.parse(`"${escaped}"`)).toWellFormed()
  return Buffer.from(text).toString('latin1')
}
