// The message of Push Kit, from
// https://developer.huawei.com/consumer/en/doc/HMSCore-References/https-send-api-0000001050986197.
import { isObject, objectIn, parseObject } from '../json-object.ts'
import { measureJson, membersIn, rangeOf } from '../json-range.ts'
import { type IsOpen, NOTHING_OPEN, type Problem, within } from '../problem.ts'
import { findAndroidProblem } from './android.ts'

/** The most bytes of a message, without its targets. Huawei refuses more with code 80300008. */
export const MAX_HMS_MESSAGE_BYTES = 4096

/** The members of a message that address it. */
export const HMS_TARGET_FIELDS: ReadonlySet<string> = new Set(['token', 'topic', 'condition'])

/** The members of a message that are objects. */
const OBJECTS = ['notification', 'android', 'apns', 'webpush'] as const

/** The problem for which Huawei refuses a message; undefined if none is known. @param message a valid JSON object */
export function findHmsMessageProblem(message: Buffer, isOpen: IsOpen = NOTHING_OPEN): Problem | undefined {
  const members = parseObject(message)
  const { data = null } = members
  if (data !== null && typeof data !== 'string') return { field: 'data', why: 'must be a string' }
  const field = OBJECTS.find((name) => (members[name] ?? null) !== null && !isObject(members[name]))
  if (field) return { field, why: 'must be an object' }
  // The body of a whole request: centripush makes it of the message.
  if (isObject(members.message)) return { field: 'message', why: 'is no field of a message' }
  const android = objectIn(members, 'android')
  const problem = android && findAndroidProblem(android, isOpen)
  return problem && within('android', problem)
}

/** The bytes of a message without its targets and without white space, which Huawei may not count. */
export function measureHmsMessage(message: Buffer): number {
  let bytes = 1
  for (const [name, value] of membersIn(rangeOf(message))) {
    if (HMS_TARGET_FIELDS.has(name)) continue
    // The quotes, colon and comma of the member; the last one has the closing brace in place of the comma.
    bytes += Buffer.byteLength(name) + 4 + measureJson(value)
  }
  return Math.max(bytes, 2)
}
