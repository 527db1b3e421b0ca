// Decides the outcome of a target from APNs' answer, by
// https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns.
import * as v from 'valibot'
import type { Outcome } from '../provider.ts'
import { parseRetryAfterMs } from '../retry-after.ts'

/**
 * The delay of the first retry after a server error. Apple asks for up to 15 minutes, but most errors end within
 * seconds; delays grow with each attempt.
 */
export const MIN_RETRY_DELAY_MS = 10_000
/** The reason in APNs' answer if one device got too many notifications in a row. */
const TOO_MANY_REQUESTS = 'TooManyRequests'
const TOO_MANY_REQUESTS_DELAY_MS = 60_000
/** The reason in APNs' answer if the provider token is too old: the only refusal after which a new token can help. */
export const EXPIRED_PROVIDER_TOKEN = 'ExpiredProviderToken'

/** The parts of APNs' answer that determine the outcome. */
export interface ApnsAnswer {
  status: number
  /** The `apns-id` of the answer, or that of the request if the answer has none. */
  apnsId: string
  retryAfter: string | undefined
  body: string
}

type Meaning = { kind: 'rejected' | 'tokenGone' | 'credential' } | { kind: 'retry'; minDelayMs?: number }

// APNs also answers BadDeviceToken and DeviceTokenNotForTopic to valid tokens, if production tokens are sent to the
// development service or the bundle id is wrong. Removing devices for these would empty the device table.
const REJECTED = [
  'BadCollapseId',
  'BadDeviceToken',
  'BadExpirationDate',
  'BadMessageId',
  'BadPath',
  'BadPriority',
  'BadTopic',
  'DeviceTokenNotForTopic',
  'DuplicateHeaders',
  'InvalidPushType',
  'MethodNotAllowed',
  'MissingDeviceToken',
  'MissingTopic',
  'PayloadEmpty',
  'PayloadTooLarge',
  'TopicDisallowed',
  // Reasons that concern broadcasts and channels. Only a proxy could send them here, and a retry would not help.
  'BadChannelId',
  'BadRequestParams',
  'BadRequestPayload',
  'CannotCreateChannelConfig',
  'ChannelNotRegistered',
  'FeatureNotEnabled',
  'MissingChannelId',
  'MissingPushType',
  'TopicMismatch',
]
// Reasons that refuse the credential: the operator has to act, and no device is at fault. TooManyProviderTokenUpdates
// ends by itself if the token is not renewed.
const CREDENTIAL = [
  'BadCertificate',
  'BadCertificateEnvironment',
  'BadEnvironmentKeyIdInToken',
  'BadEnvironmentKeyInToken',
  EXPIRED_PROVIDER_TOKEN,
  'Forbidden',
  'InvalidProviderToken',
  'InvalidSigningKey',
  'MissingProviderToken',
  'TooManyProviderTokenUpdates',
  'UnrelatedKeyIdInToken',
]

const MEANINGS = new Map<string, Meaning>([
  ['Unregistered', { kind: 'tokenGone' }],
  ['ExpiredToken', { kind: 'tokenGone' }],
  ...REJECTED.map((reason) => [reason, { kind: 'rejected' }] as const),
  ...CREDENTIAL.map((reason) => [reason, { kind: 'credential' }] as const),
  // APNs closes a connection that was idle. The push can be sent on another connection at once.
  ['IdleTimeout', { kind: 'retry' }],
  [TOO_MANY_REQUESTS, { kind: 'retry', minDelayMs: TOO_MANY_REQUESTS_DELAY_MS }],
  ['InternalServerError', { kind: 'retry', minDelayMs: MIN_RETRY_DELAY_MS }],
  ['ServiceUnavailable', { kind: 'retry', minDelayMs: MIN_RETRY_DELAY_MS }],
  ['Shutdown', { kind: 'retry', minDelayMs: MIN_RETRY_DELAY_MS }],
])

const ErrorSchema = v.object({
  reason: v.string(),
  /** Since when the token is dead, as Unix time in ms. */
  timestamp: v.optional(v.unknown()),
})

/**
 * The outcome of a target after APNs' answer. Its reason is one from the table above or `HTTP_<status>`, so that no
 * other text of a server gets into logs or metrics.
 */
export function outcomeOf(answer: ApnsAnswer, nowMs: number): Outcome {
  const { status } = answer
  if (status === 200) return { kind: 'sent', messageId: answer.apnsId }
  const error = parseError(answer.body)
  const known = error && MEANINGS.get(error.reason)
  const meaning = known ?? meaningOfStatus(status)
  const reason = known && error ? error.reason : `HTTP_${status}`
  switch (meaning.kind) {
    case 'tokenGone':
      // A device is removed only if the reason comes with its documented status, 410.
      if (status !== 410) return { kind: 'rejected', reason }
      return { kind: 'tokenGone', reason, ...readSince(error?.timestamp, nowMs) }
    case 'retry': {
      const afterMs = parseRetryAfterMs(answer.retryAfter, nowMs)
      return { kind: 'retry', reason, ...(afterMs === undefined ? pickMinDelay(meaning) : { afterMs }) }
    }
    case 'rejected':
    case 'credential':
      return { kind: meaning.kind, reason }
  }
}

/** Whether APNs asks for fewer requests to all targets. A 429 that concerns a single device does not. */
export function isBusy(status: number, body: () => string): boolean {
  return status === 503 || (status === 429 && parseError(body())?.reason !== TOO_MANY_REQUESTS)
}

/**
 * The meaning of APNs' HTTP status. It is used if the reason is unknown, and for answers of a proxy or load balancer.
 */
function meaningOfStatus(status: number): Meaning {
  if (status === 401 || status === 403) return { kind: 'credential' }
  if (status === 429) return { kind: 'retry', minDelayMs: TOO_MANY_REQUESTS_DELAY_MS }
  if (status >= 400 && status < 500 && status !== 408) return { kind: 'rejected' }
  return { kind: 'retry', minDelayMs: MIN_RETRY_DELAY_MS }
}

function pickMinDelay({ minDelayMs }: Extract<Meaning, { kind: 'retry' }>): { minDelayMs?: number } {
  return minDelayMs === undefined ? {} : { minDelayMs }
}

/**
 * Reads since when a token is dead. A time in the future becomes now: otherwise a device that registers again before
 * that time would be removed.
 */
function readSince(timestamp: unknown, nowMs: number): { sinceMs?: number } {
  if (typeof timestamp !== 'number' || !Number.isInteger(timestamp) || timestamp <= 0) return {}
  return { sinceMs: Math.min(timestamp, nowMs) }
}

function parseError(body: string): v.InferOutput<typeof ErrorSchema> | undefined {
  try {
    const parsed = v.safeParse(ErrorSchema, JSON.parse(body))
    return parsed.success ? parsed.output : undefined
  } catch {
    // The body is not APNs' JSON, so a proxy or load balancer answered. The status determines the outcome.
    return undefined
  }
}
