// The characters that Go's encoding/json escapes in addition to RFC 8259, so that JSON can be embedded in HTML.
const ESCAPED = /[<>&\u2028\u2029]/g

/** Plain data as JSON with the escapes of a node's replies. */
export function encodeGoJson(value: object): string {
  return JSON.stringify(value).replace(ESCAPED, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
