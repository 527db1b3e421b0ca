// The header fields of a Web Push request (RFC 8030 section 5), from the headers of the notification.
import { createHash } from 'node:crypto'
import {
  contentTypeOf,
  findWebPushHeaderProblem,
  readWebPushHeaders,
  type WebPushHeaderProblem,
} from '../../rules/webpush/headers.ts'

/**
 * The TTL in seconds if the caller gives none: four weeks, as in Centrifugo PRO. No push service of a browser keeps a
 * message longer.
 */
const DEFAULT_TTL = '2419200'

/**
 * The header fields of a send's requests, by name in lower case. Headers that are not for push services are left out.
 * If the caller gives no `Topic`, it is derived from the send: then a push that is sent again replaces the first one in
 * the push service.
 */
export function makeRequestHeaders(
  given: ReadonlyMap<string, string>,
  uid: string,
): Record<string, string> | WebPushHeaderProblem {
  const byName = readWebPushHeaders(given)
  for (const [name, value] of byName) {
    const problem = findWebPushHeaderProblem(name, value)
    if (problem !== undefined) return problem
  }
  const urgency = byName.get('urgency')
  return {
    ttl: byName.get('ttl') ?? DEFAULT_TTL,
    topic: byName.get('topic') ?? topicOf(uid),
    ...(urgency !== undefined && { urgency }),
    'content-encoding': 'aes128gcm',
    'content-type': contentTypeOf(byName.get('content-type')),
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
