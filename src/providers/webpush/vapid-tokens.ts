// The VAPID tokens that identify the sender to push services (RFC 8292): signed with the key of this server, one for
// each origin.
import { sign } from 'node:crypto'
import type { VapidKeys } from './vapid-keys.ts'

/**
 * How long a token is valid, in ms. RFC 8292 section 2 allows 24 hours; half of that tolerates clocks that differ by
 * hours.
 */
const LIFE_MS = 12 * 3_600_000
/** How long a token is used, in ms: it is valid for hours more, whenever a push service checks it. */
const USED_MS = LIFE_MS / 2
/**
 * The most tokens that are kept. It bounds the memory: if any origin may register, clients decide how many there are.
 */
const MAX_TOKENS = 1000

const HEADER = encodeJson({ typ: 'JWT', alg: 'ES256' })

export interface VapidTokensDeps {
  keys: VapidKeys
  /** The sender's contact for push services: a `mailto:` or `https:` URL. */
  subject: string
}

/** Signs VAPID tokens, and keeps each until it is due for renewal. */
export class VapidTokens {
  readonly #deps: VapidTokensDeps
  readonly #byOrigin = new Map<string, { authorization: string; renewAtMs: number }>()

  constructor(deps: VapidTokensDeps) {
    this.#deps = deps
  }

  /** The value of the Authorization header for the push service at an origin. A new token is signed every six hours. */
  authorizationFor(origin: string, nowMs: number): string {
    const known = this.#byOrigin.get(origin)
    if (known && nowMs < known.renewAtMs) return known.authorization
    if (this.#byOrigin.size >= MAX_TOKENS) this.#byOrigin.clear()
    const { keys, subject } = this.#deps
    const claims = { aud: origin, exp: Math.floor((nowMs + LIFE_MS) / 1000), sub: subject }
    const signed = `${HEADER}.${encodeJson(claims)}`
    // The format of the signature is r followed by s, not DER (RFC 7518 section 3.4).
    const signature = sign('sha256', Buffer.from(signed), { key: keys.privateKey, dsaEncoding: 'ieee-p1363' })
    const authorization = `vapid t=${signed}.${signature.toString('base64url')}, k=${keys.publicKey}`
    this.#byOrigin.set(origin, { authorization, renewAtMs: nowMs + USED_MS })
    return authorization
  }
}

function encodeJson(json: object): string {
  return Buffer.from(JSON.stringify(json)).toString('base64url')
}
