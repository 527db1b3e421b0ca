// The size of an FCM message. Google documents the limits, but not how it measures. What a device gets is counted
// here: keys and values of `data` and of the notification, for the platform with the smallest payload. So a message is
// refused only if it is too large on every platform.
import { isObject, objectIn, parseObject } from '../json-object.ts'

/** "The maximum is 4096 bytes for most messages, or 2048 bytes in the case of messages to topics" (ErrorCode). */
const MAX_BYTES = 4096
const MAX_TOPIC_BYTES = 2048

/** The most bytes of a message, as measureMessage() counts them. */
export function maxMessageBytes(targetKind: 'token' | 'topic' | 'condition' | undefined): number {
  return targetKind === 'topic' ? MAX_TOPIC_BYTES : MAX_BYTES
}

/** The bytes of a message that a device gets at least. @param message a valid JSON object that passed its check */
export function measureMessage(message: Buffer): number {
  const { data, notification, android, apns, webpush } = parseObject(message)
  const payload = objectIn(apns, 'payload')
  return Math.min(
    measure(objectIn(android, 'data') ?? data) + measure(notification, objectIn(android, 'notification')),
    measure(objectIn(webpush, 'data') ?? data) + measure(notification, objectIn(webpush, 'notification')),
    measure(data) + (payload ? Buffer.byteLength(JSON.stringify(payload)) : measure(notification)),
  )
}

/** The bytes of names and values of objects. A later object replaces members of an earlier one. */
function measure(...objects: readonly unknown[]): number {
  let bytes = 0
  for (const [name, value] of Object.entries(Object.assign({}, ...objects.filter(isObject)))) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(typeof value === 'string' ? value : JSON.stringify(value))
  }
  return bytes
}
