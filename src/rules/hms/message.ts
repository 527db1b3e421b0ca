// The message of Push Kit, from
// https://developer.huawei.com/consumer/en/doc/HMSCore-References/https-send-api-0000001050986197.
import { compactLength } from '../compact-length.ts'
import { kindOf, membersOf, rootOf } from '../json-value.ts'
import type { Problem } from '../problem.ts'

/** The most bytes of a message, without its targets. Huawei refuses more with code 80300008. */
export const MAX_HMS_MESSAGE_BYTES = 4096

/** The members of a message that address it. */
export const HMS_TARGET_FIELDS: ReadonlySet<string> = new Set(['token', 'topic', 'condition'])

/** The members of a message that are objects. */
const OBJECTS = new Set(['notification', 'android', 'apns', 'webpush'])

/** Why Huawei refuses a message; undefined if no problem is known. @param message a valid JSON object */
export function findHmsMessageProblem(message: Buffer): Problem | undefined {
  for (const [name, value] of membersOf(rootOf(message))) {
    const kind = kindOf(value)
    if (kind === 'null') continue
    if (name === 'data' && kind !== 'string') return { field: name, why: 'must be a string' }
    if (OBJECTS.has(name) && kind !== 'object') return { field: name, why: 'must be an object' }
  }
  return undefined
}

/** The bytes of a message without its targets and without white space, which Huawei may not count. */
export function measureHmsMessage(message: Buffer): number {
  let bytes = 2
  let separator = 0
  for (const [name, value] of membersOf(rootOf(message))) {
    if (HMS_TARGET_FIELDS.has(name)) continue
    bytes += separator + Buffer.byteLength(JSON.stringify(name)) + 1 + compactLength(value)
    separator = 1
  }
  return bytes
}
