// The headers that all requests of a notification share: those of the caller unchanged, and defaults for the others.
import type { HeaderFields } from '../../http2/http2-client.ts'
import { findApnsHeadersProblem, isAllowedApnsHeader, readApnsHeaders } from '../../rules/apns/headers.ts'
import { maxPayloadBytes } from '../../rules/apns/payload.ts'
import { pushTypeOfHeaders, pushTypeOfPayload, topicOf } from '../../rules/apns/push-type.ts'
import type { Notification } from '../../sends/notification.ts'
import { makeCollapseId } from './notification-id.ts'

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
  if (json.length > maxPayloadBytes(undefined)) return { problem: 'PayloadTooLarge' }
  const given = readApnsHeaders(headers)
  for (const name of given.keys()) if (!isAllowedApnsHeader(name)) return { problem: 'header_not_allowed' }
  const refused = findApnsHeadersProblem(given)
  if (refused) return { problem: refused.reason }
  const pushType = pushTypeOfHeaders(given) ?? pushTypeOfPayload(json)
  if (json.length > maxPayloadBytes(pushType)) return { problem: 'PayloadTooLarge' }
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
