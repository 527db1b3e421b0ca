// The request headers of Web Push that a caller chooses (RFC 8030 section 5), and the rules of the browsers' push
// services for them.

/** Why a header is not valid. It is also the reason of the rejected push, in metrics too. */
export type WebPushHeaderProblem = 'INVALID_TTL' | 'INVALID_URGENCY' | 'INVALID_TOPIC'

const URGENCIES = new Set(['very-low', 'low', 'normal', 'high'])
/** A valid `Topic`: "no more than 32 characters from the URL and filename-safe Base64 alphabet" (section 5.4). */
const TOPIC = /^[A-Za-z0-9_-]{1,32}$/
/** A valid `TTL` in seconds. Services keep a message for at most four weeks or so, and reduce a longer time. */
const TTL = /^\d{1,10}$/

/** The text of each problem, a sentence without its subject. */
export const WEB_PUSH_HEADER_PROBLEMS: Readonly<Record<WebPushHeaderProblem, string>> = {
  INVALID_TTL: 'must be a number of seconds',
  INVALID_URGENCY: 'must be very-low, low, normal or high',
  INVALID_TOPIC: 'must be 1 to 32 letters, digits, - and _, and not 1, 5, 9 … 29 of them, which Apple refuses',
}

/** Why push services refuse a header; undefined if they accept or ignore it. @param name in lower case */
export function findWebPushHeaderProblem(name: string, value: string): WebPushHeaderProblem | undefined {
  switch (name) {
    case 'ttl':
      return TTL.test(value) ? undefined : 'INVALID_TTL'
    case 'urgency':
      return URGENCIES.has(value) ? undefined : 'INVALID_URGENCY'
    case 'topic':
      // Apple decodes the topic: no base64 has a length of 1 modulo 4, so it answers 400 BadWebPushTopic.
      return TOPIC.test(value) && value.length % 4 !== 1 ? undefined : 'INVALID_TOPIC'
    default:
      return undefined
  }
}

/**
 * The headers of a request by name in lower case. A `Topic` that is rendered for each target may have a length that
 * Apple refuses: it gets a further character, because only equality of topics matters.
 */
export function readWebPushHeaders(headers: ReadonlyMap<string, string>): Map<string, string> {
  const read = new Map([...headers].map(([name, value]) => [name.toLowerCase(), value.trim()]))
  const topic = read.get('topic')
  if (topic !== undefined && topic.length % 4 === 1) read.set('topic', `${topic}_`)
  return read
}

/** The media type of declarative messages (https://www.w3.org/TR/push-api/#declarative-push-message). */
const DECLARATIVE_TYPE = /^application\/notification\+json\s*(?:;|$)/i

/**
 * The `Content-Type` of a request: that of the caller if it declares the payload as a declarative message, which the
 * browser shows without a service worker. All others say nothing, because the body is encrypted.
 */
export function contentTypeOf(given: string | undefined): string {
  return given !== undefined && DECLARATIVE_TYPE.test(given) ? given : 'application/octet-stream'
}
