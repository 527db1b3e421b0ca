import type { ProviderName } from '../config/provider-names.ts'
import type { JsonText } from '../json/json-text.ts'
import { ApiError } from '../protocol/errors.ts'
import type { PushNotification } from '../protocol/requests/push.ts'
import { writeNumbers } from '../rules/apns/payload.ts'
import { type Circumstances, findNotificationProblem } from '../rules/notification-problem.ts'
import { describeProblem } from '../rules/problem.ts'
import type { Notification } from '../sends/notification.ts'

/** For each provider the name of the field that contains the JSON of its notification. */
export const JSON_FIELDS: Readonly<Record<ProviderName, string>> = {
  fcm: 'fcm.message',
  hms: 'hms.message',
  apns: 'apns.payload',
  webpush: 'webpush.payload',
}

/** The limit of a notification's JSON. Providers accept some KB; a template may be longer than its result. */
const MAX_JSON_BYTES = 1024 * 1024

const NO_HEADERS: ReadonlyMap<string, string> = new Map()

/**
 * Reads the notifications of a request, by provider. Their JSON keeps the bytes of the request, except for numbers of
 * APNs that are written as booleans or texts.
 * @param circumstances of all notifications of the request
 * @throws ApiError badRequest for one that its provider would refuse for every target
 */
export function readNotifications(
  wire: PushNotification,
  circumstances: Circumstances,
): Map<ProviderName, Notification> {
  const { fcm, hms, apns, webpush } = wire
  const notifications = new Map<ProviderName, Notification>()
  if (fcm) notifications.set('fcm', part('fcm', fcm.message, NO_HEADERS))
  if (hms) notifications.set('hms', part('hms', hms.message, NO_HEADERS))
  if (apns) {
    const { json, headers } = part('apns', apns.payload, apns.headers)
    notifications.set('apns', { json: writeNumbers(json), headers })
  }
  if (webpush) notifications.set('webpush', part('webpush', webpush.payload, webpush.headers))
  if (notifications.size === 0) throw new ApiError('badRequest', 'notification: has no part for any provider')
  for (const [provider, notification] of notifications) {
    const problem = findNotificationProblem(provider, notification, circumstances)
    if (problem) throw new ApiError('badRequest', describeProblem(`notification.${provider}`, problem))
  }
  return notifications
}

function part(provider: ProviderName, json: JsonText | undefined, headers: ReadonlyMap<string, string>): Notification {
  const field = JSON_FIELDS[provider]
  if (json?.kind !== 'object') throw new ApiError('badRequest', `notification.${field}: must be a JSON object`)
  if (json.bytes.length > MAX_JSON_BYTES) {
    throw new ApiError('badRequest', `notification.${field}: longer than ${MAX_JSON_BYTES} bytes`)
  }
  for (const [name, value] of headers) {
    // Headers become HTTP headers of requests to providers. With a line break the caller could inject further headers.
    if (!/^[!#-'*+.^-z|~\w-]+$/.test(name) || !/^[\x20-\x7e]*$/.test(value)) {
      throw new ApiError('badRequest', `notification.${provider}.headers: one is not printable ASCII`)
    }
  }
  // A copy, because a view would keep the body of the request in memory for as long as the send.
  return { json: Buffer.from(json.bytes), headers }
}
