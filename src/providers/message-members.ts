// Requests of FCM and HMS contain the message of the caller with the target inserted. The message is never parsed into
// values, so its bytes arrive unchanged: big integers, `1.0`, escapes, duplicate keys, white space. The scan relies on
// valid JSON: the message was checked to be an object when the send was accepted.

/** The members that address a message. Those of the caller would contradict the target of the send. */
const TARGET_MEMBERS = new Set(['token', 'topic', 'condition'])

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** Text that needs no escapes in JSON. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

/** The text between the quotes of a JSON string with the value `text`. */
export function escapeJson(text: string): string {
  // Tokens need no escapes. Without `stringify` they cost a tenth.
  return PLAIN.test(text) ? text : JSON.stringify(text).slice(1, -1)
}

/** The text between the brackets of a JSON array of `texts`. */
export function escapeJsonList(texts: readonly string[]): string {
  // One test of the joined texts costs a third of a test per text.
  return PLAIN.test(texts.join('')) ? `"${texts.join('","')}"` : JSON.stringify(texts).slice(1, -1)
}

/** The bytes between the braces of a message, which is a valid JSON object, without the members that address it. */
export function readMembers(message: Buffer): Buffer {
  const kept: Buffer[] = []
  for (const member of membersOf(message)) {
    if (TARGET_MEMBERS.has(member.name)) continue
    if (kept.length > 0) kept.push(Buffer.from(','))
    kept.push(member.bytes)
  }
  return Buffer.concat(kept)
}

interface Member {
  name: string
  /** Key, colon and value with the white space around them, without the commas on either side. */
  bytes: Buffer
}

function membersOf(message: Buffer): Member[] {
  const members: Member[] = []
  let start = message.indexOf(OPEN_BRACE) + 1
  let name: string | undefined
  let depth = 0
  for (let at = start; at < message.length; at++) {
    const byte = message[at]
    if (byte === QUOTE) {
      const end = endOfString(message, at)
      // The first string of a member is its key, which may contain escapes.
      name ??= String(JSON.parse(message.toString('utf8', at, end + 1)))
      at = end
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth++
    } else if (depth > 0) {
      if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--
    } else if (byte === COMMA || byte === CLOSE_BRACE) {
      if (name !== undefined) members.push({ name, bytes: message.subarray(start, at) })
      if (byte === CLOSE_BRACE) break
      start = at + 1
      name = undefined
    }
  }
  return members
}

/** The position of the closing quote of the string that opens at `from`. */
function endOfString(source: Buffer, from: number): number {
  let at = from + 1
  while (at < source.length && source[at] !== QUOTE) at += source[at] === BACKSLASH ? 2 : 1
  return at
}
