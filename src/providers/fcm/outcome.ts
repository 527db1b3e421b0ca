// Decides the outcome of a target from FCM's answer, by
// https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode, with the delays of
// https://firebase.google.com/docs/cloud-messaging/scale-fcm.

import * as v from 'valibot'
import type { Http2Answer } from '../../http2/http2-client.ts'
import { parseJsonOrUndefined } from '../../json/parse-or-undefined.ts'
import type { Outcome } from '../provider.ts'
import { parseRetryAfterMs } from '../retry-after.ts'

/** The shortest delay of a retry: "Wait at least 10 s before you retry" (scale-fcm). */
export const MIN_RETRY_DELAY_MS = 10_000
/**
 * The shortest delay after QUOTA_EXCEEDED: "exponential backoff with a minimum initial delay of 1 minute" (ErrorCode).
 */
const QUOTA_DELAY_MS = 60_000

/** The parts of FCM's answer that determine the outcome. */
export type FcmAnswer = Pick<Http2Answer, 'status' | 'header' | 'bodyText'>

type Meaning = { kind: 'rejected' } | { kind: 'tokenGone' } | { kind: 'retry'; minDelayMs: number }

// Only UNREGISTERED removes a device. A wrong sender id is as often an error of the configuration as of the token, and
// THIRD_PARTY_AUTH_ERROR concerns the APNs key that Firebase has: they could empty the device table. INVALID_ARGUMENT
// may concern the token or the payload.
const MEANINGS = new Map<string, Meaning>([
  ['UNREGISTERED', { kind: 'tokenGone' }],
  ['INVALID_ARGUMENT', { kind: 'rejected' }],
  ['SENDER_ID_MISMATCH', { kind: 'rejected' }],
  ['THIRD_PARTY_AUTH_ERROR', { kind: 'rejected' }],
  ['QUOTA_EXCEEDED', { kind: 'retry', minDelayMs: QUOTA_DELAY_MS }],
  ['UNAVAILABLE', { kind: 'retry', minDelayMs: MIN_RETRY_DELAY_MS }],
  ['INTERNAL', { kind: 'retry', minDelayMs: MIN_RETRY_DELAY_MS }],
  ['UNSPECIFIED_ERROR', { kind: 'retry', minDelayMs: MIN_RETRY_DELAY_MS }],
])

/** The begin and the end of FCM's answer to a sent push. The name between them has no escapes. */
const SENT_BEGIN = '{\n  "name": "'
const SENT_END = '"\n}\n'
const SentSchema = v.object({ name: v.string() })
const DetailSchema = v.object({
  '@type': v.optional(v.string()),
  errorCode: v.optional(v.string()),
  /**
   * The details of a google.rpc.QuotaFailure. `subject` is the owner of the exhausted quota: `device:…` or
   * `projects/…`.
   */
  violations: v.fallback(v.optional(v.array(v.object({ subject: v.optional(v.string(), '') })), []), []),
  /** The details of a google.rpc.BadRequest: the paths of the fields that FCM refuses. */
  fieldViolations: v.fallback(v.optional(v.array(v.object({ field: v.optional(v.string(), '') })), []), []),
})
const ErrorSchema = v.object({ error: v.object({ details: v.optional(v.array(DetailSchema), []) }) })

/**
 * The outcome of a target after FCM's answer. Its reason is a code from the table above or `HTTP_<status>`, so that of
 * FCM's text at most the path of a field gets into the log. @param nowMs returns the current Unix time in ms
 */
export function outcomeOf(answer: FcmAnswer, nowMs: () => number): Outcome {
  if (answer.status === 200) return outcomeOfSuccess(answer.bodyText())
  const json = parseJsonOrUndefined(answer.bodyText())
  const code = fcmErrorCode(json)
  const meaning = (code !== undefined && MEANINGS.get(code)) || meaningOfStatus(answer.status, code !== undefined)
  const reason = code !== undefined && MEANINGS.has(code) ? code : `HTTP_${answer.status}`
  switch (meaning.kind) {
    case 'tokenGone':
      // A device is removed only if the code comes with its documented status, 404.
      return answer.status === 404 ? { kind: 'tokenGone', reason } : { kind: 'rejected', reason }
    case 'retry': {
      const afterMs = parseRetryAfterMs(answer.header('retry-after'), nowMs())
      return { kind: 'retry', reason, ...(afterMs === undefined ? { minDelayMs: meaning.minDelayMs } : { afterMs }) }
    }
    case 'rejected': {
      const field = refusedField(json)
      return { kind: 'rejected', reason, ...(field !== undefined && { field }) }
    }
    case 'credential':
      return { kind: 'credential', reason }
  }
}

/** A path of a field as Google writes it: `message.android.ttl`, `message.data[0].value`. Other texts may be data. */
const FIELD_PATH = /^[a-z_]+(?:\[\d+\]|\.[a-zA-Z_]+)*$/

function refusedField(json: unknown): string | undefined {
  const parsed = v.safeParse(ErrorSchema, json)
  const violations = parsed.success ? parsed.output.error.details.flatMap((detail) => detail.fieldViolations) : []
  return violations.map(({ field }) => field).find((field) => field.length <= 200 && FIELD_PATH.test(field))
}

/**
 * The meaning of a status: 401 and 403 refuse the access token, and 404 the project. If the answer has an error code of
 * FCM, these statuses concern the target: THIRD_PARTY_AUTH_ERROR, SENDER_ID_MISMATCH and UNREGISTERED.
 */
function meaningOfStatus(status: number, hasFcmError: boolean): Meaning | { kind: 'credential' } {
  if ((status === 401 || status === 403 || status === 404) && !hasFcmError) return { kind: 'credential' }
  if (status === 429) return { kind: 'retry', minDelayMs: QUOTA_DELAY_MS }
  if (status >= 400 && status < 500 && status !== 408) return { kind: 'rejected' }
  // A server error with an unknown code, or an answer that is not from FCM, for example the HTML page of a load
  // balancer.
  return { kind: 'retry', minDelayMs: MIN_RETRY_DELAY_MS }
}

/** Whether FCM asks for fewer requests to all targets. A 429 that concerns the quota of one device does not. */
export function isBusy(answer: Pick<FcmAnswer, 'status' | 'bodyText'>): boolean {
  return answer.status === 503 || (answer.status === 429 && !isDeviceQuota(answer.bodyText()))
}

/**
 * Whether an answer shows that FCM does not work, or that another server answers: a server error or redirect without
 * Retry-After, or a success without the name of a message.
 */
export function isFailure(answer: FcmAnswer): boolean {
  const { status } = answer
  if (status === 200) return !hasName(answer.bodyText())
  return (status >= 500 || (status >= 300 && status < 400)) && answer.header('retry-after') === undefined
}

function isDeviceQuota(body: string): boolean {
  const parsed = v.safeParse(ErrorSchema, parseJsonOrUndefined(body))
  const violations = parsed.success ? parsed.output.error.details.flatMap((detail) => detail.violations) : []
  return violations.length > 0 && violations.every(({ subject }) => /^device\b/i.test(subject))
}

function outcomeOfSuccess(body: string): Outcome {
  const name = readName(body)
  if (name !== undefined) return { kind: 'sent', messageId: name }
  return { kind: 'retry', reason: 'BAD_ANSWER', minDelayMs: MIN_RETRY_DELAY_MS, maybeDelivered: true }
}

/** Whether the body has the name of a sent message. It costs less than `readName`, for it copies nothing. */
function hasName(body: string): boolean {
  return findNameEnd(body) !== undefined || readName(body) !== undefined
}

/** The name of a sent message; undefined if the body is another one. */
function readName(body: string): string | undefined {
  const end = findNameEnd(body)
  if (end !== undefined) return body.slice(SENT_BEGIN.length, end)
  const sent = v.safeParse(SentSchema, parseJsonOrUndefined(body))
  return sent.success ? sent.output.name : undefined
}

/**
 * The end of the name if the body is FCM's own layout of a sent message. To cut it out is faster than JSON.parse: there
 * are thousands of answers a second.
 */
function findNameEnd(body: string): number | undefined {
  if (!body.startsWith(SENT_BEGIN)) return undefined
  const end = body.indexOf('"', SENT_BEGIN.length)
  return end === body.length - SENT_END.length && body.endsWith(SENT_END) && !body.includes('\\') ? end : undefined
}

function fcmErrorCode(json: unknown): string | undefined {
  const parsed = v.safeParse(ErrorSchema, json)
  if (!parsed.success) return undefined
  const details = parsed.output.error.details
  return details.find((detail) => detail['@type']?.endsWith('google.firebase.fcm.v1.FcmError'))?.errorCode
}
