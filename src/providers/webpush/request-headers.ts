// The header fields of a Web Push request (RFC 8030 section 5), from the headers of the notification.
import { createHash } from 'node:crypto'

/**
 * The TTL in seconds if the caller gives none: four weeks, as in Centrifugo PRO. No push service of a browser keeps a
 * message longer.
 */
const DEFAULT_TTL = '2419200'
const URGENCIES = new Set(['very-low', 'low', 'normal', 'high'])
/** A valid `Topic` (RFC 8030 section 5.4). */
const TOPIC = /^[A-Za-z0-9_-]{1,32}$/
/** A valid `TTL` in seconds. Numbers of ten digits exceed the limit of every push service. */
const TTL = /^\d{1,10}$/

/** The caller's headers that are sent on, by name in lower case, each with the check of its value. */
const HEADERS = new Map<string, { isValid: (value: string) => boolean; problem: HeaderProblem }>([
  ['ttl', { isValid: (value) => TTL.test(value), problem: 'INVALID_TTL' }],
  ['urgency', { isValid: (value) => URGENCIES.has(value), problem: 'INVALID_URGENCY' }],
  ['topic', { isValid: (value) => TOPIC.test(value), problem: 'INVALID_TOPIC' }],
])

/** Why a header is not valid. It is also the reason of the rejected push, in metrics too. */
export type HeaderProblem = 'INVALID_TTL' | 'INVALID_URGENCY' | 'INVALID_TOPIC'

/** Why push services would refuse a header of the caller; undefined if they would accept or ignore it. */
export function checkHeader(name: string, value: string): HeaderProblem | undefined {
  const header = HEADERS.get(name.toLowerCase())
  return header && !header.isValid(value.trim()) ? header.problem : undefined
}

/**
 * The header fields of a send's requests, by name in lower case. Headers that are not for push services are left out.
 * If the caller gives no `Topic`, it is derived from the send: then a push that is sent again replaces the first one in
 * the push service.
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

/**
 * The additional headers for the Windows service (WNS): it refuses a request without this one, or if it contradicts the
 * TTL.
 */
export function wnsHeaders(origin: string, ttl: string): Record<string, string> {
  if (!isWns(origin)) return {}
  return { 'x-wns-cache-policy': Number(ttl) === 0 ? 'no-cache' : 'cache' }
}

/** Whether the origin is the Windows service (WNS), which needs additional headers and has its own answers. */
export function isWns(origin: string): boolean {
  return new URL(origin).hostname.endsWith('.notify.windows.com')
}

/**
 * Derives the `Topic` from the uid of a send. It has only letters and digits: the Mozilla service accepts no others.
 */
function topicOf(uid: string): string {
  return createHash('sha256').update(uid).digest('hex').slice(0, 32)
}
