// What Go's encoding/json escapes beyond RFC 8259, so that a reply can stand in an HTML page.
const ESCAPED = /[<>&\u2028\u2029]/g

/** Plain data as JSON, escaped as a node escapes its replies. */
export function encodeGoJson(value: object): string {
  return JSON.stringify(value).replace(ESCAPED, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
