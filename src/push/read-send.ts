// Reads a request to send: checks all of its fields and converts it to a send.
import { randomUUID } from 'node:crypto'
import type { EndpointCheck } from '../devices/web-push-endpoint.ts'
import { LEFT } from '../personalise/tokens.ts'
import { ApiError } from '../protocol/errors.ts'
import type { SendPushNotificationRequest } from '../protocol/requests/push.ts'
import type { Send } from '../queue/send.ts'
import { targetKindOf } from '../sends/recipient.ts'
import type { SendContent } from '../sends/send-content.ts'
import { readLimits } from './limits.ts'
import { readNotifications } from './notification.ts'
import { readTime } from './read-time.ts'
import { laneOf, readRecipient } from './recipient.ts'
import { HASH_WITHOUT_UID, hashRequest } from './request-hash.ts'
import { readTemplating } from './templating.ts'
import { checkUid } from './uid.ts'

/** Checks of requests that depend on the configuration. */
export interface SendChecks {
  /** Refuses Web Push endpoints that this server does not send to. */
  checkEndpoint: EndpointCheck
}

/**
 * Converts a request to a send.
 * @param whole the request that is hashed, which contains `request`
 * @throws ApiError badRequest that names the field
 */
export function readSend(
  request: SendPushNotificationRequest,
  { checkEndpoint }: SendChecks,
  whole: object = request,
): Send {
  if (!request.recipient) throw new ApiError('badRequest', 'recipient: is missing')
  if (!request.notification) throw new ApiError('badRequest', 'notification: is missing')
  const recipient = readRecipient(request.recipient, checkEndpoint)
  const notifications = readNotifications(request.notification, {
    isOpen: isTemplate(request) ? (text) => text.includes(LEFT) : undefined,
    targetKind: targetKindOf(recipient),
  })
  if (recipient.kind === 'native' && !notifications.has(recipient.provider)) {
    throw new ApiError('badRequest', `notification.${recipient.provider}: is missing for its recipient`)
  }
  if (isPersonal(request) && recipient.kind !== 'filter') {
    throw new ApiError('badRequest', 'recipient: templates, localizations and limits need a filter')
  }
  const uid = readUid(request.uid)
  const sendAtMs = readTime('send_at', request.send_at)
  const expireAtMs = readTime('notification.expire_at', request.notification.expire_at)
  if (sendAtMs !== undefined && expireAtMs !== undefined && expireAtMs <= sendAtMs) {
    throw new ApiError('badRequest', 'notification.expire_at: must be after send_at, otherwise no push is sent')
  }
  const content: SendContent = {
    notifications,
    analyticsUid: request.analytics_uid || uid,
    isReliable: request.optimize_for_reliability,
    templating: readTemplating(request, notifications),
    ...readLimits(request.limit_strategy),
  }
  return {
    uid,
    requestHash: request.uid === '' ? HASH_WITHOUT_UID : hashRequest(whole),
    lane: laneOf(recipient),
    sendAtMs,
    expireAtMs,
    recipient,
    content,
  }
}

function isTemplate({ use_templating, localizations }: SendPushNotificationRequest): boolean {
  return use_templating || localizations.size > 0
}

function isPersonal(request: SendPushNotificationRequest): boolean {
  return isTemplate(request) || request.limit_strategy !== undefined
}

function readUid(uid: string): string {
  if (uid === '') return randomUUID()
  checkUid(uid)
  return uid
}
