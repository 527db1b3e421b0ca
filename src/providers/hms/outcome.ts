// Decides the outcomes of targets from Push Kit's answer, by
// https://developer.huawei.com/consumer/en/doc/HMSCore-References/https-send-api-0000001050986197 (response codes).
// One answer concerns all tokens of its request. Only a partial success distinguishes between tokens.

import * as v from 'valibot'
import { parseJsonOrUndefined } from '../../json/parse-or-undefined.ts'
import type { Outcome } from '../provider.ts'
import { parseRetryAfterMs } from '../retry-after.ts'

/** The shortest delay of a retry. Huawei documents none, so it is the one that other providers ask for. */
export const MIN_RETRY_DELAY_MS = 10_000

/** The parts of Push Kit's answer that determine the outcomes. */
export interface HmsAnswer {
  status: number
  retryAfter: string | undefined
  body: string
}

/** Returns the outcome of one target of the request. */
export type OutcomeByTarget = (target: string) => Outcome

type Meaning = 'sent' | 'partial' | 'rejected' | 'credential' | 'retry'

/**
 * Huawei's code for a message that is too large. Also the reason if the message is rejected here, before it is sent.
 */
export const TOO_LARGE = '80300008'

// Huawei answers 80300007 (every token of the request is invalid) also if the id or the signature of the app is wrong,
// and 80300002 if the tokens belong to another app. Both could remove a thousand devices at once, so neither removes
// any. A dead token that is alone in its request also gets 80300007: its device is removed after a request with others.
const MEANINGS = new Map<string, Meaning>([
  ['80000000', 'sent'],
  ['80100000', 'partial'],
  // Codes for wrong parameters, number of tokens, structure, expiry, collapse key, and for sensitive content.
  ['80100001', 'rejected'],
  ['80100002', 'rejected'],
  ['80100003', 'rejected'],
  ['80100004', 'rejected'],
  ['80100013', 'rejected'],
  ['80100016', 'rejected'],
  // The code for too many sends to topics at one time.
  ['80100017', 'retry'],
  // The code for an access token that is wrong or expired.
  ['80200001', 'credential'],
  ['80200003', 'credential'],
  ['80300002', 'rejected'],
  ['80300007', 'rejected'],
  [TOO_LARGE, 'rejected'],
  ['80300010', 'rejected'],
  ['80300011', 'rejected'],
  ['80300013', 'rejected'],
  // Codes for internal errors of Huawei.
  ['80600003', 'retry'],
  ['81000001', 'retry'],
])

const BodySchema = v.object({
  code: v.string(),
  msg: v.optional(v.string(), ''),
  requestId: v.optional(v.string(), ''),
})

/** Every list in `msg` names tokens that got no push; those in `illegal_tokens` are dead. */
const PartialSchema = v.pipe(
  v.unknown(),
  v.check((json) => !Array.isArray(json)),
  v.record(v.string(), v.unknown()),
)
const TokensSchema = v.array(v.string())

/**
 * Returns a function that gives the outcome of each target after Push Kit's answer. Reasons are codes of eight digits
 * or `HTTP_<status>`, so that no text of Huawei gets into logs or metrics.
 */
export function outcomeOf(answer: HmsAnswer, nowMs: number): OutcomeByTarget {
  const body = v.safeParse(BodySchema, parseJsonOrUndefined(answer.body))
  const code = body.success ? readCode(body.output) : undefined
  const meaning = code === undefined ? meaningOfStatus(answer.status) : (MEANINGS.get(code) ?? meaningOfNewCode(code))
  const reason = code ?? `HTTP_${answer.status}`
  const sent: Outcome = { kind: 'sent', messageId: body.success ? body.output.requestId : '' }
  switch (meaning) {
    case 'sent':
      return () => sent
    case 'partial':
      return outcomeOfPartial(body.success ? body.output.msg : '', reason, sent)
    case 'retry': {
      const outcome = retryOf(answer, reason, nowMs)
      return () => outcome
    }
    case 'rejected':
    case 'credential':
      return () => ({ kind: meaning, reason })
  }
}

/**
 * Whether an answer shows that Push Kit does not work, or that another server answers: a server error or redirect
 * without Retry-After, or a success without a code of Push Kit.
 */
export function isFailure({ status, retryAfter, body }: HmsAnswer): boolean {
  if (status === 200) {
    const parsed = v.safeParse(BodySchema, parseJsonOrUndefined(body))
    return !parsed.success || readCode(parsed.output) === undefined
  }
  return (status >= 500 || (status >= 300 && status < 400)) && retryAfter === undefined
}

function readCode({ code }: v.InferOutput<typeof BodySchema>): string | undefined {
  return /^8\d{7}$/.test(code) ? code : undefined
}

/** The outcomes after a partial success. `msg` contains `{"success":2,"failure":1,"illegal_tokens":["…"]}` as text. */
function outcomeOfPartial(msg: string, reason: string, sent: Outcome): OutcomeByTarget {
  const lists = v.safeParse(PartialSchema, parseJsonOrUndefined(msg))
  // The list of failed tokens cannot be read. All targets are rejected: none is known to be sent, and a retry would
  // reach most of them twice.
  if (!lists.success) return () => ({ kind: 'rejected', reason })
  const failed = new Map<string, Outcome>()
  for (const [name, list] of Object.entries(lists.output)) {
    const tokens = v.safeParse(TokensSchema, list)
    const outcome: Outcome = { kind: name === 'illegal_tokens' ? 'tokenGone' : 'rejected', reason }
    for (const token of tokens.success ? tokens.output : []) failed.set(token, outcome)
  }
  return (target) => failed.get(target) ?? sent
}

function meaningOfStatus(status: number): Meaning {
  // 404 means a wrong URL. The URL contains the id of the app, so this is an error of the configuration, like 401 and
  // 403.
  if (status === 401 || status === 403 || status === 404) return 'credential'
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) return 'rejected'
  // All other statuses are retried: server errors, traffic control (503), redirects, and HTML pages of a load balancer.
  return 'retry'
}

/** The meaning of a code that is not in the table: the first digits of a code are its kind. */
function meaningOfNewCode(code: string): Meaning {
  if (code.startsWith('802')) return 'credential'
  return code.startsWith('801') || code.startsWith('803') ? 'rejected' : 'retry'
}

function retryOf({ status, retryAfter }: HmsAnswer, reason: string, nowMs: number): Outcome {
  // The body cannot be read, but with status 200 the push may have been accepted.
  if (status === 200 && reason === 'HTTP_200') {
    return { kind: 'retry', reason: 'BAD_ANSWER', minDelayMs: MIN_RETRY_DELAY_MS, maybeDelivered: true }
  }
  const afterMs = parseRetryAfterMs(retryAfter, nowMs)
  return { kind: 'retry', reason, ...(afterMs === undefined ? { minDelayMs: MIN_RETRY_DELAY_MS } : { afterMs }) }
}
