// The header fields of a Web Push request (RFC 8030 section 5) from what the caller gave.
import { createHash } from 'node:crypto'

/** Four weeks, Centrifugo PRO's default and as long as browsers' services keep a message. */
const DEFAULT_TTL = '2419200'
const URGENCIES = new Set(['very-low', 'low', 'normal', 'high'])
/** RFC 8030 section 5.4. */
const TOPIC = /^[A-Za-z0-9_-]{1,32}$/
/** Seconds; ten digits are more than any service keeps. */
const TTL = /^\d{1,10}$/

/** The headers that are sent on, by name in lower case, and what is wrong with others of their values, for metrics. */
const HEADERS = new Map<string, { isValid: (value: string) => boolean; problem: HeaderProblem }>([
  ['ttl', { isValid: (value) => TTL.test(value), problem: 'INVALID_TTL' }],
  ['urgency', { isValid: (value) => URGENCIES.has(value), problem: 'INVALID_URGENCY' }],
  ['topic', { isValid: (value) => TOPIC.test(value), problem: 'INVALID_TOPIC' }],
])

/** What was wrong with a header, as a reason for metrics. */
export type HeaderProblem = 'INVALID_TTL' | 'INVALID_URGENCY' | 'INVALID_TOPIC'

/** What no push service would take of a header that the caller gave. */
export function checkHeader(name: string, value: string): HeaderProblem | undefined {
  const header = HEADERS.get(name.toLowerCase())
  return header && !header.isValid(value.trim()) ? header.problem : undefined
}

/**
 * The fields for a send, by name in lower case; other headers that the caller gave are left out. Without a `Topic` one is
 * derived from the send, so that a message that has to be sent again replaces the first one and does not join it.
 */
export function makeRequestHeaders(
  given: ReadonlyMap<string, string>,
  uid: string,
): Record<string, string> | HeaderProblem {
  const byName = new Map([...given].map(([name, value]) => [name.toLowerCase(), value.trim()]))
  for (const [name, value] of byName) {
    const problem = checkHeader(name, value)
    if (problem !== undefined) return problem
  }
  const urgency = byName.get('urgency')
  return {
    ttl: byName.get('ttl') ?? DEFAULT_TTL,
    topic: byName.get('topic') ?? topicOf(uid),
    ...(urgency !== undefined && { urgency }),
    'content-encoding': 'aes128gcm',
    'content-type': 'application/octet-stream',
  }
}

/** Windows' service refuses a TTL without this, or with one that contradicts it. */
export function wnsHeaders(origin: string, ttl: string): Record<string, string> {
  if (!isWns(origin)) return {}
  return { 'x-wns-cache-policy': Number(ttl) === 0 ? 'no-cache' : 'cache' }
}

/** Whether this is Windows' service, which has answers and headers of its own. */
export function isWns(origin: string): boolean {
  return new URL(origin).hostname.endsWith('.notify.windows.com')
}

/** Letters and digits only: Mozilla's service takes no others. */
function topicOf(uid: string): string {
  return createHash('sha256').update(uid).digest('hex').slice(0, 32)
}
