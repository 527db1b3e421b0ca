// Characters that Go's encoding/json escapes although JSON does not require it (so that JSON can be embedded in HTML).
const ESCAPED = /[<>&\u2028\u2029]/g

/** Encodes plain data as JSON with the same escapes as a node's replies. */
export function encodeGoJson(value: object): string {
  return JSON.stringify(value).replace(ESCAPED, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
