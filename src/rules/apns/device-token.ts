// Device tokens of APNs. Apple's service takes them in hexadecimal. Apps send them in other spellings too: in upper
// case, as iOS printed `NSData` (`<1e2122ba 4ccabb8e …>`, since iOS 13 `{length = 32, bytes = 0x1e2122ba …}`), as .NET
// prints bytes (`1E-21-22-BA-…`), and as base64, the form of `Data` in JSON. Each phone is one device only if all of
// them are stored as one spelling.

/** The fewest bytes of a device token. Apple reserves longer ones, and those of Live Activities are longer. */
const MIN_BYTES = 32
/** The most bytes of a device token in base64. Apple names 100 as the maximum. */
const MAX_BASE64_BYTES = 100

const HEXADECIMAL = /^(?:[0-9a-f]{2})+$/i
/** Bytes with a separator between them. */
const SEPARATED = /^[0-9a-f]{2}(?:[-:][0-9a-f]{2})+$/i
/** A text of these is never base64: the 43 characters that encode a token are all among them once in 10^19 tokens. */
const DIGITS = /^[0-9a-f:-]+$/i
const BASE64 = /^[\w+/-]+={0,2}$/
/** The description of `NSData` since iOS 13. It shows only the first and last bytes of data that is longer. */
const DESCRIPTION = /^\{\s*length\s*=\s*\d+,\s*bytes\s*=\s*0x([0-9a-f\s]+)\}$/i

/**
 * The canonical spelling of a device token, lower-case hexadecimal; undefined if the text is not a device token of
 * APNs.
 */
export function canonicalizeDeviceToken(text: string): string | undefined {
  // Most tokens are canonical, so this test comes first.
  if (text.length >= 2 * MIN_BYTES && HEXADECIMAL.test(text)) return text.toLowerCase()
  const written = (DESCRIPTION.exec(text)?.[1] ?? text.replace(/^<(.*)>$/s, '$1')).replace(/\s/g, '')
  const digits = SEPARATED.test(written) ? written.replace(/[-:]/g, '') : written
  if (DIGITS.test(digits)) {
    return HEXADECIMAL.test(digits) && digits.length >= 2 * MIN_BYTES ? digits.toLowerCase() : undefined
  }
  return BASE64.test(text) ? readBase64(text) : undefined
}

function readBase64(text: string): string | undefined {
  const bytes = Buffer.from(text, 'base64')
  const isWhole = bytes.toString('base64url') === text.replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_')
  if (!isWhole || bytes.length < MIN_BYTES) return undefined
  // Some apps encode the hexadecimal text instead of the bytes.
  const encoded = bytes.toString('latin1')
  if (HEXADECIMAL.test(encoded)) return encoded.length >= 2 * MIN_BYTES ? encoded.toLowerCase() : undefined
  return bytes.length <= MAX_BASE64_BYTES ? bytes.toString('hex') : undefined
}
