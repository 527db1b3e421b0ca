// The headers that all requests of a notification share: those of the caller unchanged, and defaults for the others.
import type { HeaderFields } from '../../http2/http2-client.ts'
import type { Notification } from '../../sends/notification.ts'
import { makeCollapseId } from './notification-id.ts'
import { pushTypeOfPayload, pushTypeOfTopic, topicOf } from './push-type.ts'

/** The payload limit of all push types except `voip`; Apple's words: "4 KB (4096 bytes)". */
export const MAX_PAYLOAD_BYTES = 4096
/** The payload limit of the push type `voip`; Apple's words: "5 KB (5120 bytes)". */
export const MAX_VOIP_PAYLOAD_BYTES = 5120

/**
 * The names of headers that the caller may set. Others hold the credential, or belong to HTTP/2 (RFC 9113 section
 * 8.2.2).
 */
const ALLOWED_HEADER = /^(?:apns-[a-z-]+|content-type)$/i

/** Why a header of the caller is refused; undefined if it is allowed. */
export function checkHeader(name: string): string | undefined {
  return ALLOWED_HEADER.test(name) ? undefined : 'APNs has no such header that a caller may set'
}

/**
 * Push types that get an `apns-collapse-id`: notifications for the user or the app. Pushes of other types are updates,
 * which must not replace each other.
 */
const COLLAPSED_PUSH_TYPES = new Set(['alert', 'background'])

/**
 * The header fields of all requests of a send, without the credential, or the reason for which the notification is
 * rejected. `hasId`: the caller's headers contain the `apns-id`.
 */
export type RequestPlan = { headers: HeaderFields; hasId: boolean } | { problem: string }

/** Plans the requests of a send. Headers of the caller replace those that are derived here. */
export function planRequests(uid: string, { json, headers }: Notification, bundleId: string): RequestPlan {
  // APNs would answer each request with this reason. A payload above the highest limit is not parsed for its push type.
  if (json.length > MAX_VOIP_PAYLOAD_BYTES) return { problem: 'PayloadTooLarge' }
  const given = readGiven(headers)
  for (const name of given.keys()) if (checkHeader(name) !== undefined) return { problem: 'header_not_allowed' }
  const pushType = given.get('apns-push-type') ?? derivePushType(json, given)
  const maxBytes = pushType === 'voip' ? MAX_VOIP_PAYLOAD_BYTES : MAX_PAYLOAD_BYTES
  if (json.length > maxBytes) return { problem: 'PayloadTooLarge' }
  const derived = new Map([
    ['content-type', 'application/json'],
    ['apns-topic', topicOf(bundleId, pushType)],
    ['apns-push-type', pushType],
  ])
  // A background push needs priority 5: without the header APNs assumes 10, and refuses background pushes with 10.
  if (pushType === 'background') derived.set('apns-priority', '5')
  if (COLLAPSED_PUSH_TYPES.has(pushType)) derived.set('apns-collapse-id', makeCollapseId(uid))
  return { headers: Object.fromEntries([...derived, ...given]), hasId: given.has('apns-id') }
}

/** The caller's headers by name in lower case, as in HTTP/2. Headers with an empty value are left out. */
function readGiven(headers: ReadonlyMap<string, string>): Map<string, string> {
  const filled = [...headers].filter(([, value]) => value.trim() !== '')
  return new Map(filled.map(([name, value]) => [name.toLowerCase(), value.trim()]))
}

function derivePushType(json: Buffer, given: ReadonlyMap<string, string>): string {
  return pushTypeOfTopic(given.get('apns-topic') ?? '') ?? pushTypeOfPayload(json)
}
