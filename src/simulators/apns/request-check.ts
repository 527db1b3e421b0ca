// The checks that APNs makes of a request, as far as a sender can violate them
// (https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns).
import type { IncomingHttpHeaders } from 'node:http2'
import type { Reason } from './apns-answer.ts'

const MAX_PAYLOAD_BYTES = 4096
const MAX_VOIP_PAYLOAD_BYTES = 5120
const MAX_COLLAPSE_ID_BYTES = 64

/** The suffix that each push type requires after the bundle id in `apns-topic`. */
const TOPIC_SUFFIXES = new Map([
  ['alert', ''],
  ['background', ''],
  ['mdm', ''],
  ['voip', '.voip'],
  ['complication', '.complication'],
  ['fileprovider', '.pushkit.fileprovider'],
  ['location', '.location-query'],
  ['pushtotalk', '.voip-ptt'],
  ['liveactivity', '.push-type.liveactivity'],
  ['widgets', '.push-type.widgets'],
  ['controls', '.push-type.controls'],
])

/** The `apns-` headers of a request, unchanged. */
export type ApnsHeaders = Readonly<Record<string, string>>

/** Selects the `apns-` headers. */
export function pickApnsHeaders(headers: IncomingHttpHeaders): ApnsHeaders {
  const picked: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith('apns-')) picked[name] = String(value)
  }
  return picked
}

/** Why APNs refuses the headers or the payload of a request; undefined if it accepts them. */
export function refuseRequest(headers: ApnsHeaders, body: Buffer, bundleId: string): Reason | undefined {
  return refuseHeaders(headers) ?? refuseTopic(headers, bundleId) ?? refusePayload(headers, body)
}

function refuseHeaders(headers: ApnsHeaders): Reason | undefined {
  const { 'apns-id': id, 'apns-expiration': expiration, 'apns-priority': priority } = headers
  // Node joins the values of a duplicate header with a comma and a space.
  if (Object.values(headers).some((value) => value.includes(', '))) return 'DuplicateHeaders'
  if (id !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return 'BadMessageId'
  if (expiration !== undefined && !/^\d{1,12}$/.test(expiration)) return 'BadExpirationDate'
  if (Buffer.byteLength(headers['apns-collapse-id'] ?? '') > MAX_COLLAPSE_ID_BYTES) return 'BadCollapseId'
  if (priority !== undefined && !['10', '5', '1'].includes(priority)) return 'BadPriority'
  // Apple requires priority 5 for background pushes ("using priority 10 is an error"), and a missing header means 10.
  if (headers['apns-push-type'] === 'background' && (priority ?? '10') === '10') return 'BadPriority'
  return undefined
}

function refuseTopic({ 'apns-topic': topic, 'apns-push-type': pushType }: ApnsHeaders, bundleId: string) {
  if (topic === undefined) return 'MissingTopic'
  const suffix = TOPIC_SUFFIXES.get(pushType ?? '')
  if (suffix === undefined) return 'InvalidPushType'
  if (topic !== bundleId && !topic.startsWith(`${bundleId}.`)) return 'TopicDisallowed'
  return topic === bundleId + suffix ? undefined : 'BadTopic'
}

function refusePayload(headers: ApnsHeaders, body: Buffer): Reason | undefined {
  if (body.length === 0) return 'PayloadEmpty'
  const limit = headers['apns-push-type'] === 'voip' ? MAX_VOIP_PAYLOAD_BYTES : MAX_PAYLOAD_BYTES
  if (body.length > limit) return 'PayloadTooLarge'
  return isJsonObject(body) ? undefined : 'PayloadEmpty'
}

function isJsonObject(body: Buffer): boolean {
  try {
    const value: unknown = JSON.parse(body.toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
