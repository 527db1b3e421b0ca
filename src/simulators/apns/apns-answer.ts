// The answers of APNs to requests, from
// https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns.
import { randomUUID } from 'node:crypto'
import type { Answer } from '../answer.ts'

/** The reasons for which APNs refuses a request, with the HTTP status of each. */
export const REASONS = {
  BadCollapseId: 400,
  BadDeviceToken: 400,
  BadExpirationDate: 400,
  BadMessageId: 400,
  BadPriority: 400,
  BadTopic: 400,
  DeviceTokenNotForTopic: 400,
  DuplicateHeaders: 400,
  IdleTimeout: 400,
  InvalidPushType: 400,
  MissingDeviceToken: 400,
  MissingTopic: 400,
  PayloadEmpty: 400,
  TopicDisallowed: 400,
  BadCertificate: 403,
  BadCertificateEnvironment: 403,
  BadEnvironmentKeyIdInToken: 403,
  ExpiredProviderToken: 403,
  Forbidden: 403,
  InvalidProviderToken: 403,
  MissingProviderToken: 403,
  UnrelatedKeyIdInToken: 403,
  BadPath: 404,
  MethodNotAllowed: 405,
  ExpiredToken: 410,
  Unregistered: 410,
  PayloadTooLarge: 413,
  TooManyProviderTokenUpdates: 429,
  TooManyRequests: 429,
  InternalServerError: 500,
  ServiceUnavailable: 503,
  Shutdown: 503,
} as const

/** The reason for which APNs refuses a request. */
export type Reason = keyof typeof REASONS

/** The answer that refuses a request. `sinceMs`, for status 410: since when the device token is dead. */
export function refuse(reason: Reason, apnsId: string | undefined, sinceMs?: number): Answer {
  const body = JSON.stringify({ reason, ...(sinceMs !== undefined && { timestamp: sinceMs }) })
  return {
    status: REASONS[reason],
    headers: { 'apns-id': apnsId ?? randomUUID(), 'content-type': 'application/json' },
    body,
  }
}

/** The answer that accepts a push. */
export function accept(apnsId: string | undefined): Answer {
  return { status: 200, headers: { 'apns-id': apnsId ?? randomUUID() }, body: '' }
}
