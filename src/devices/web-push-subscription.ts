// The PushSubscription of a browser is the token of a Web Push device. Its endpoint identifies the device, and its keys
// encrypt the payload (RFC 8291).
import { ECDH } from 'node:crypto'
import * as v from 'valibot'
import { ApiError } from '../protocol/errors.ts'
import { checkText, MAX_TOKEN_BYTES } from './field-checks.ts'
import type { EndpointCheck } from './web-push-endpoint.ts'

/** A checked PushSubscription. */
export interface WebPushSubscription {
  endpoint: string
  /** The keys as JSON: `{"p256dh":"…","auth":"…"}`, both in base64url without padding. */
  keys: string
}

/** The longest JSON of a subscription: enough for an endpoint, the keys and the other members that a browser writes. */
const MAX_JSON_LENGTH = 2 * MAX_TOKEN_BYTES
const POINT_BYTES = 65
const AUTH_BYTES = 16

/** A key in base64url or base64. Browsers write base64url without padding; some libraries write base64. */
const bytes = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9+/_-]+={0,2}$/),
  v.transform((text) => Buffer.from(text, 'base64url')),
)

const Subscription = v.object({
  endpoint: v.string(),
  keys: v.object({
    p256dh: v.pipe(
      bytes,
      v.check((point) => isPointOnCurve(point)),
    ),
    auth: v.pipe(
      bytes,
      v.check((auth) => auth.length === AUTH_BYTES),
    ),
  }),
})

/** Reads a subscription from JSON. @throws ApiError badRequest that names the invalid part */
export function parseWebPushSubscription(
  field: string,
  text: string,
  checkEndpoint: EndpointCheck,
): WebPushSubscription {
  if (text.length > MAX_JSON_LENGTH)
    throw new ApiError('badRequest', `${field}: longer than ${MAX_JSON_LENGTH} characters`)
  const result = v.safeParse(Subscription, parseJson(field, text), { abortEarly: true })
  if (!result.success) {
    const path = v.getDotPath(result.issues[0]) ?? 'the subscription'
    throw new ApiError('badRequest', `${field}: ${path} of the PushSubscription is not valid`)
  }
  const { endpoint, keys } = result.output
  const why = checkEndpoint(endpoint)
  if (why !== undefined) throw new ApiError('badRequest', `${field}: the endpoint is ${why}`)
  return {
    endpoint: checkText(field, endpoint, MAX_TOKEN_BYTES),
    keys: JSON.stringify({ p256dh: keys.p256dh.toString('base64url'), auth: keys.auth.toString('base64url') }),
  }
}

function parseJson(field: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    // The SyntaxError is not passed on as a cause, because its message quotes the text.
    throw new ApiError('badRequest', `${field}: not a PushSubscription as JSON`)
  }
}

/** Whether the bytes are an uncompressed point of the curve (RFC 8291 section 3.1). OpenSSL refuses other points. */
function isPointOnCurve(point: Buffer): boolean {
  if (point.length !== POINT_BYTES || point[0] !== 0x04) return false
  try {
    ECDH.convertKey(point, 'prime256v1')
    return true
  } catch {
    return false
  }
}
