// The tokens that identify the sender to push services (RFC 8292): signed with our key, each for one origin.
import { sign } from 'node:crypto'
import type { VapidKeys } from './vapid-keys.ts'

/** RFC 8292 section 2 allows 24 hours. Half of that tolerates clocks that differ by hours. */
const LIFE_MS = 12 * 3_600_000
/** A token is used for this long, so that it has hours left whenever a push service checks it. */
const USED_MS = LIFE_MS / 2
/** Limits the memory: if any origin may register, clients decide how many there are. */
const MAX_TOKENS = 1000

const HEADER = encodeJson({ typ: 'JWT', alg: 'ES256' })

export interface VapidTokensDeps {
  keys: VapidKeys
  /** The contact of the sender for push services: a `mailto:` or `https:` URL. */
  subject: string
}

/** Signs tokens and keeps them until they are due for renewal. */
export class VapidTokens {
  readonly #deps: VapidTokensDeps
  readonly #byOrigin = new Map<string, { authorization: string; renewAtMs: number }>()

  constructor(deps: VapidTokensDeps) {
    this.#deps = deps
  }

  /** The value of the Authorization header for an origin. It is signed again every six hours. */
  authorizationFor(origin: string, nowMs: number): string {
    const known = this.#byOrigin.get(origin)
    if (known && nowMs < known.renewAtMs) return known.authorization
    if (this.#byOrigin.size >= MAX_TOKENS) this.#byOrigin.clear()
    const { keys, subject } = this.#deps
    const claims = { aud: origin, exp: Math.floor((nowMs + LIFE_MS) / 1000), sub: subject }
    const signed = `${HEADER}.${encodeJson(claims)}`
    // RFC 7518 section 3.4: the signature is r and s, not DER.
    const signature = sign('sha256', Buffer.from(signed), { key: keys.privateKey, dsaEncoding: 'ieee-p1363' })
    const authorization = `vapid t=${signed}.${signature.toString('base64url')}, k=${keys.publicKey}`
    this.#byOrigin.set(origin, { authorization, renewAtMs: nowMs + USED_MS })
    return authorization
  }
}

function encodeJson(json: object): string {
  return Buffer.from(JSON.stringify(json)).toString('base64url')
}
