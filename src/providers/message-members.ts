// What FCM and HMS have in common: a request is written by splicing the target in beside what stands in the caller's
// message. The message is never parsed into values, so its bytes arrive as they were written: big integers, `1.0`,
// escapes, duplicate keys, white space. It was checked to be a JSON object when the send was accepted; this scan relies
// on that.

/** What a message may be addressed by. The caller's own would contradict the target of the send. */
const TARGET_MEMBERS = new Set(['token', 'topic', 'condition'])

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** Characters that JSON takes as they are. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

/** What stands between the quotes of a JSON string that says `text`. */
export function escapeJson(text: string): string {
  // Tokens need no escapes, and writing them as they are costs a tenth.
  return PLAIN.test(text) ? text : JSON.stringify(text).slice(1, -1)
}

/** What stands between the brackets of a JSON array of `texts`. */
export function escapeJsonList(texts: readonly string[]): string {
  // All are looked at in one go: one by one they cost three times as much.
  return PLAIN.test(texts.join('')) ? `"${texts.join('","')}"` : JSON.stringify(texts).slice(1, -1)
}

/** The members of a message, the bytes of a valid JSON object, without its target: all between the braces if it has none. */
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
      // A member's first string is its key. It may be written with escapes and still mean the same.
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

/** Where the closing quote of the string that opens at `from` stands. */
function endOfString(source: Buffer, from: number): number {
  let at = from + 1
  while (at < source.length && source[at] !== QUOTE) at += source[at] === BACKSLASH ? 2 : 1
  return at
}
