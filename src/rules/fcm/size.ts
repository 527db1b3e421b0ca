// The size of an FCM message. Google documents the limits, but not how it measures. What a device gets is counted
// here: keys and values of `data` and of the notification, for the platform with the smallest payload. So a message is
// refused only if it is too large on every platform.
import { compactLength } from '../compact-length.ts'
import { type JsonValue, kindOf, memberOf, membersOf, rootOf, textOf } from '../json-value.ts'

/** "The maximum is 4096 bytes for most messages, or 2048 bytes in the case of messages to topics" (ErrorCode). */
const MAX_BYTES = 4096
const MAX_TOPIC_BYTES = 2048

/** The most bytes of a message, as measureMessage() counts them. */
export function maxMessageBytes(targetKind: 'token' | 'topic' | 'condition' | undefined): number {
  return targetKind === 'topic' ? MAX_TOPIC_BYTES : MAX_BYTES
}

/** The bytes of a message that a device gets at least. @param message a valid JSON object that passed its check */
export function measureMessage(message: Buffer): number {
  const root = rootOf(message)
  const [data, notification] = [memberOf(root, 'data'), memberOf(root, 'notification')]
  const [android, apns, webpush] = [memberOf(root, 'android'), memberOf(root, 'apns'), memberOf(root, 'webpush')]
  const dataBytes = measureTexts(data)
  const payload = apns && memberOf(apns, 'payload')
  return Math.min(
    dataBytesOf(android, dataBytes) + measureTexts(notification, android && memberOf(android, 'notification')),
    dataBytesOf(webpush, dataBytes) + measureTexts(notification, webpush && memberOf(webpush, 'notification')),
    dataBytes + (payload && kindOf(payload) === 'object' ? compactLength(payload) : measureTexts(notification)),
  )
}

/** The bytes of the data of a platform, which replaces the common data. */
function dataBytesOf(config: JsonValue | undefined, common: number): number {
  const own = config && memberOf(config, 'data')
  return own ? measureTexts(own) : common
}

/** The bytes of names and values of objects. A later object replaces members of an earlier one. */
function measureTexts(...objects: readonly (JsonValue | undefined)[]): number {
  const sizes = new Map<string, number>()
  for (const object of objects) {
    if (!object) continue
    for (const [name, value] of membersOf(object)) {
      const bytes = kindOf(value) === 'string' ? Buffer.byteLength(textOf(value)) : compactLength(value)
      sizes.set(name, Buffer.byteLength(name) + bytes)
    }
  }
  let sum = 0
  for (const size of sizes.values()) sum += size
  return sum
}
