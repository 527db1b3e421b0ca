// FCM and HMS requests are written by splicing the target into the caller's message. The message is not parsed into
// values, so its bytes arrive as they were written: big integers, `1.0`, escapes, duplicate keys, white space.
import { readMembers } from '../json/object-members.ts'

const COMMA = Buffer.from(',')

/**
 * The members of a message without those that address it, which would contradict the target: the inside of an object,
 * without the braces.
 * @param message a valid JSON object; it was checked when the send was accepted
 * @param targetFields the names of the members that address a message
 */
export function withoutTarget(message: Buffer, targetFields: ReadonlySet<string>): Buffer {
  const kept: Buffer[] = []
  for (const { name, start, end } of readMembers(message, message.indexOf('{'))) {
    if (targetFields.has(name)) continue
    if (kept.length > 0) kept.push(COMMA)
    kept.push(message.subarray(start, end))
  }
  return Buffer.concat(kept)
}
