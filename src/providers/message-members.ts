// FCM and HMS requests are written by splicing the target into the caller's message. The message is not parsed into
// values, so its bytes arrive as they were written: big integers, `1.0`, escapes, duplicate keys, white space.
import { readMembers } from '../json/object-members.ts'

/**
 * The members of a message that address it. They are removed from the caller's message: they would contradict the
 * target.
 */
const TARGET_MEMBERS = new Set(['token', 'topic', 'condition'])

const COMMA = Buffer.from(',')

/**
 * The members of a message without those that address it: the inside of an object, without the braces.
 * @param message a valid JSON object; it was checked when the send was accepted
 */
export function withoutTarget(message: Buffer): Buffer {
  const kept: Buffer[] = []
  for (const { name, start, end } of readMembers(message, message.indexOf('{'))) {
    if (TARGET_MEMBERS.has(name)) continue
    if (kept.length > 0) kept.push(COMMA)
    kept.push(message.subarray(start, end))
  }
  return Buffer.concat(kept)
}
