// The size of an FCM message. Google documents the limits, but not how it measures. Counted here is the payload of a
// device: keys and values of `data` and of the notification, for the platform with the smallest payload. So a message
// is refused only if it is too large on every platform.
import { findRange, type JsonRange, measureRange, membersIn, rangeOf } from '../json-range.ts'

/** "The maximum is 4096 bytes for most messages, or 2048 bytes in the case of messages to topics" (ErrorCode). */
const MAX_BYTES = 4096
const MAX_TOPIC_BYTES = 2048

/** The most bytes of a message, as measureMessage() counts them. */
export function maxMessageBytes(targetKind: 'token' | 'topic' | 'condition' | undefined): number {
  return targetKind === 'topic' ? MAX_TOPIC_BYTES : MAX_BYTES
}

/** The bytes of a message that a device gets at least. @param message a valid JSON object that passed its check */
export function measureMessage(message: Buffer): number {
  const find = (...path: readonly string[]) => findRange(rangeOf(message), ...path)
  const [data, notification, payload] = [find('data'), find('notification'), find('apns', 'payload')]
  return Math.min(
    measure(find('android', 'data') ?? data) + measure(notification, find('android', 'notification')),
    measure(find('webpush', 'data') ?? data) + measure(notification, find('webpush', 'notification')),
    measure(data) + (payload ? measureRange(payload) : measure(notification)),
  )
}

/** The bytes of names and values of objects. A later object replaces members of an earlier one. */
function measure(...objects: readonly (JsonRange | undefined)[]): number {
  const sizes = new Map<string, number>()
  for (const object of objects) {
    for (const [name, value] of object ? membersIn(object) : []) {
      sizes.set(name, Buffer.byteLength(name) + measureRange(value))
    }
  }
  let bytes = 0
  for (const size of sizes.values()) bytes += size
  return bytes
}
