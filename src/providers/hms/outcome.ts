// What Push Kit's answers mean, from
// https://developer.huawei.com/consumer/en/doc/HMSCore-References/https-send-api-0000001050986197 (response codes).
// One answer is about all tokens of its request; only a partial success tells them apart.
import * as v from 'valibot'
import type { Outcome } from '../provider.ts'
import { parseRetryAfterMs } from '../retry-after.ts'

/** Huawei names no delay; this is what push services ask for. */
export const MIN_RETRY_DELAY_MS = 10_000

/** The parts of an answer that decide. */
export interface HmsAnswer {
  status: number
  retryAfter: string | undefined
  body: string
}

/** What became of the request's targets; by target where the answer says so. */
export type OutcomeByTarget = (target: string) => Outcome

type Meaning = 'sent' | 'partial' | 'rejected' | 'credential' | 'retry'

/** The reason of a message that is not even sent: the code that Huawei answers for it. */
export const TOO_LARGE = '80300008'

// 80300007 says that every token of the request is invalid, and says it too when the app's id or signature is wrong, and
// 80300002 when tokens are another app's: removing a thousand devices on one answer could empty the table. What a
// request for one dead token gets is 80300007, so such a device stays until it is in a request with others.
const MEANINGS = new Map<string, Meaning>([
  ['80000000', 'sent'],
  ['80100000', 'partial'],
  // Parameters, number of tokens, structure, expiry, collapse key, sensitive content.
  ['80100001', 'rejected'],
  ['80100002', 'rejected'],
  ['80100003', 'rejected'],
  ['80100004', 'rejected'],
  ['80100013', 'rejected'],
  ['80100016', 'rejected'],
  // Too many sends to topics at once.
  ['80100017', 'retry'],
  // The access token: wrong, and out of date.
  ['80200001', 'credential'],
  ['80200003', 'credential'],
  ['80300002', 'rejected'],
  ['80300007', 'rejected'],
  [TOO_LARGE, 'rejected'],
  ['80300010', 'rejected'],
  ['80300011', 'rejected'],
  ['80300013', 'rejected'],
  // Huawei's own services.
  ['80600003', 'retry'],
  ['81000001', 'retry'],
])

const BodySchema = v.object({
  code: v.string(),
  msg: v.optional(v.string(), ''),
  requestId: v.optional(v.string(), ''),
})

/** Every list in `msg` names tokens that got nothing; those in `illegal_tokens` are dead. */
const PartialSchema = v.pipe(
  v.unknown(),
  v.check((json) => !Array.isArray(json)),
  v.record(v.string(), v.unknown()),
)
const TokensSchema = v.array(v.string())

/**
 * The one place that decides what an answer means. Reasons are codes of eight digits or `HTTP_<status>`: no text that
 * Huawei wrote gets into logs or metrics.
 */
export function outcomeOf(answer: HmsAnswer, nowMs: number): OutcomeByTarget {
  const body = v.safeParse(BodySchema, parseJson(answer.body))
  const code = body.success && /^8\d{7}$/.test(body.output.code) ? body.output.code : undefined
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

/** `{"success":2,"failure":1,"illegal_tokens":["…"]}`, as text in `msg`. */
function outcomeOfPartial(msg: string, reason: string, sent: Outcome): OutcomeByTarget {
  const lists = v.safeParse(PartialSchema, parseJson(msg))
  // Sending to all again would reach most of them twice; what is certain of none of them is not called sent.
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
  // 404 is a wrong URL, in which the app's id stands: the configuration's fault, as 401 and 403 are.
  if (status === 401 || status === 403 || status === 404) return 'credential'
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) return 'rejected'
  // Server errors, traffic control (503), redirects, HTML of a load balancer.
  return 'retry'
}

/** Huawei numbers its codes by kind. */
function meaningOfNewCode(code: string): Meaning {
  if (code.startsWith('802')) return 'credential'
  return code.startsWith('801') || code.startsWith('803') ? 'rejected' : 'retry'
}

function retryOf({ status, retryAfter }: HmsAnswer, reason: string, nowMs: number): Outcome {
  // A success that can't be read may be one.
  if (status === 200 && reason === 'HTTP_200') {
    return { kind: 'retry', reason: 'BAD_ANSWER', minDelayMs: MIN_RETRY_DELAY_MS, maybeDelivered: true }
  }
  const afterMs = parseRetryAfterMs(retryAfter, nowMs)
  return { kind: 'retry', reason, ...(afterMs === undefined ? { minDelayMs: MIN_RETRY_DELAY_MS } : { afterMs }) }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not JSON: an answer of something between Huawei and us. Its status decides.
    return undefined
  }
}
