// What a template is parsed from: bytes, one character each, with the place that each of them was written at. Delimiters
// and names of the dialect are ASCII, so nothing has to be decoded to find them, and bytes that are no UTF-8 stay as
// they are.
const QUOTE = 0x22
const BACKSLASH = 0x5c
const LETTER_U = 0x75

/** UTF-8, a character of the string for each byte. */
export interface SourceText {
  bytes: string
  /** Where each byte was written, and at the end where the text ends: in bytes from the start of the whole source. */
  offsets: readonly number[]
}

/** A header's value, which is ASCII. */
export function readHeaderText(value: string): SourceText {
  return { bytes: value, offsets: Array.from({ length: value.length + 1 }, (_, index) => index) }
}

/** All strings of a valid JSON text, keys too, without their escapes. */
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

/** Where the text ends: for a JSON string its closing quote. */
export function endOf({ offsets }: SourceText): number {
  return offsets.at(-1) ?? 0
}

/** The text of a piece of source, as UTF-8. */
export function decodeSource(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

function readJsonString(json: Buffer, from: number): SourceText {
  let bytes = ''
  const offsets: number[] = []
  let at = from
  while (json[at] !== QUOTE && at < json.length) {
    const length = json[at] === BACKSLASH ? escapeLength(json, at) : 1
    const character = json.toString('latin1', at, at + length)
    const decoded = length === 1 ? character : decodeEscape(character)
    bytes += decoded
    for (let index = 0; index < decoded.length; index++) offsets.push(at)
    at += length
  }
  offsets.push(at)
  return { bytes, offsets }
}

/** Two escapes that are the halves of one character belong together. */
function escapeLength(json: Buffer, at: number): number {
  if (json[at + 1] !== LETTER_U) return 2
  return /^\\u[dD][89abAB]..\\u[dD][c-fC-F]..$/.test(json.toString('latin1', at, at + 12)) ? 12 : 6
}

function decodeEscape(escaped: string): string {
  const text = String(JSON.parse(`"${escaped}"`)).toWellFormed()
  return Buffer.from(text).toString('latin1')
}
