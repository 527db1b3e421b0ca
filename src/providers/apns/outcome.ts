// What APNs' answers mean, from
// https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns.
import * as v from 'valibot'
import type { Outcome } from '../provider.ts'
import { parseRetryAfterMs } from '../retry-after.ts'

/**
 * Before a server error is tried again. Apple asks for 15 minutes at last; most pass within seconds, so the delays begin
 * here and grow with each attempt.
 */
export const MIN_RETRY_DELAY_MS = 10_000
/** About one device that got too many notifications in a row. */
const TOO_MANY_REQUESTS = 'TooManyRequests'
const TOO_MANY_REQUESTS_DELAY_MS = 60_000
/** The token may have been right: a new one is worth a try, if the last one is not too young. */
export const EXPIRED_PROVIDER_TOKEN = 'ExpiredProviderToken'

/** The parts of an answer that decide. */
export interface ApnsAnswer {
  status: number
  /** The answer's `apns-id`, or else the request's. */
  apnsId: string
  retryAfter: string | undefined
  body: string
}

type Meaning = { kind: 'rejected' | 'tokenGone' | 'credential' } | { kind: 'retry'; minDelayMs?: number }

// BadDeviceToken and DeviceTokenNotForTopic also come for every good token when production tokens are sent to the
// development service or the bundle id is wrong: removing devices on these would empty the table.
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
  // Of broadcasts and channels, which a proxy might answer with; no target of ours can mend them.
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
// Ours to mend, never the device's fault. TooManyProviderTokenUpdates passes by itself, with the token that we have.
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
  // The connection was too quiet for APNs. Another one takes the push at once.
  ['IdleTimeout', { kind: 'retry' }],
  [TOO_MANY_REQUESTS, { kind: 'retry', minDelayMs: TOO_MANY_REQUESTS_DELAY_MS }],
  ['InternalServerError', { kind: 'retry', minDelayMs: MIN_RETRY_DELAY_MS }],
  ['ServiceUnavailable', { kind: 'retry', minDelayMs: MIN_RETRY_DELAY_MS }],
  ['Shutdown', { kind: 'retry', minDelayMs: MIN_RETRY_DELAY_MS }],
])

const ErrorSchema = v.object({
  reason: v.string(),
  /** Unix time in ms since when a token has been dead. */
  timestamp: v.optional(v.unknown()),
})

/**
 * The one place that decides what an APNs answer means for its target. Reasons are those of the table above or
 * `HTTP_<status>`: nothing else that a server wrote gets into logs or metrics.
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
      // Only the pair that the reference names removes a device.
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

/** Whether an answer asks us to send less to everybody: 429 does not where it is about one device. */
export function isBusy(status: number, body: () => string): boolean {
  return status === 503 || (status === 429 && parseError(body())?.reason !== TOO_MANY_REQUESTS)
}

/** An answer with a reason to come, or of something between APNs and us. */
function meaningOfStatus(status: number): Meaning {
  if (status === 401 || status === 403) return { kind: 'credential' }
  if (status === 429) return { kind: 'retry', minDelayMs: TOO_MANY_REQUESTS_DELAY_MS }
  if (status >= 400 && status < 500 && status !== 408) return { kind: 'rejected' }
  return { kind: 'retry', minDelayMs: MIN_RETRY_DELAY_MS }
}

function pickMinDelay({ minDelayMs }: Extract<Meaning, { kind: 'retry' }>): { minDelayMs?: number } {
  return minDelayMs === undefined ? {} : { minDelayMs }
}

/** A time to come would remove a device that is registered again meanwhile. */
function readSince(timestamp: unknown, nowMs: number): { sinceMs?: number } {
  if (typeof timestamp !== 'number' || !Number.isInteger(timestamp) || timestamp <= 0) return {}
  return { sinceMs: Math.min(timestamp, nowMs) }
}

function parseError(body: string): v.InferOutput<typeof ErrorSchema> | undefined {
  try {
    const parsed = v.safeParse(ErrorSchema, JSON.parse(body))
    return parsed.success ? parsed.output : undefined
  } catch {
    // Not JSON: an answer of something between APNs and us. Its status decides.
    return undefined
  }
}
