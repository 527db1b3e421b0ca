/** Texts that JSON.stringify leaves unchanged: without quotes, backslashes, control characters and surrogates. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\ud7ff\ue000-\uffff]*$/

/**
 * Decodes a JSON string as Go does: invalid UTF-8 and lone surrogates become U+FFFD.
 * @param start the position of the opening quote of a valid string
 * @param end the position after its closing quote
 */
export function decodeString(source: Buffer, start: number, end: number): string {
  const text = source.toString('utf8', start + 1, end - 1)
  if (!text.includes('\\')) return text
  const decoded: unknown = JSON.parse(`"${text}"`)
  return String(decoded).toWellFormed()
}

/** Escapes a text for the inside of a JSON string. Returns it without quotes. */
export function escapeJson(text: string): string {
  // A plain text needs no escapes. This test takes a tenth of the time of JSON.stringify.
  return PLAIN.test(text) ? text : JSON.stringify(text).slice(1, -1)
}

/** Escapes texts for the inside of a JSON array of strings. Returns them without the brackets. */
export function escapeJsonList(texts: readonly string[]): string {
  // One test of the joined texts takes a third of the time of a test of each text.
  return PLAIN.test(texts.join('')) ? `"${texts.join('","')}"` : JSON.stringify(texts).slice(1, -1)
}
