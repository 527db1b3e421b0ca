// The rules of APNs for provider tokens
// (https://developer.apple.com/documentation/usernotifications/establishing-a-token-based-connection-to-apns).
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import * as v from 'valibot'
import type { Reason } from './apns-answer.ts'

const MAX_AGE_MS = 60 * 60_000
/** The least time between two new tokens, in ms: "no more than once every 20 minutes". */
const MIN_UPDATE_MS = 20 * 60_000
/** How far in the future a token may be dated, in ms, because clocks differ. */
const MAX_AHEAD_MS = 60_000

const HeaderSchema = v.object({ alg: v.literal('ES256'), kid: v.string() })
const ClaimsSchema = v.object({ iss: v.string(), iat: v.pipe(v.number(), v.integer()) })

/** A provider token with the expected team and key and a valid signature. */
interface GenuineToken {
  issuedAtMs: number
}

export interface ProviderTokenCheckDeps {
  publicKeyPem: string
  keyId: string
  teamId: string
  /** Returns the current Unix time in ms. */
  nowMs: () => number
}

/** Checks the provider tokens that one signing key signs. */
export class ProviderTokenCheck {
  readonly #deps: ProviderTokenCheckDeps
  #publicKey: KeyObject
  /** The verified tokens, so that the signature of each is verified only once. */
  readonly #genuine = new Map<string, GenuineToken>()
  #lastUpdateMs = Number.NEGATIVE_INFINITY
  #areRevoked = false

  constructor(deps: ProviderTokenCheckDeps) {
    this.#deps = deps
    this.#publicKey = createPublicKey(deps.publicKeyPem)
  }

  /** The accepted tokens, in the order of their first use. */
  get used(): readonly string[] {
    return [...this.#genuine.keys()]
  }

  /** Refuses all tokens of the key until `restore`. */
  revoke(): void {
    this.#areRevoked = true
  }

  /** Accepts tokens of the key again. */
  restore(): void {
    this.#areRevoked = false
  }

  /** Why a request with this Authorization header is refused; undefined if it is accepted. */
  refuse(authorization: string | undefined): Reason | undefined {
    const token = /^bearer (.+)$/i.exec(authorization ?? '')?.[1]
    if (token === undefined) return 'MissingProviderToken'
    if (this.#areRevoked) return 'InvalidProviderToken'
    const now = this.#deps.nowMs()
    const known = this.#genuine.get(token)
    const genuine = known ?? this.#verify(token)
    if (!genuine || genuine.issuedAtMs > now + MAX_AHEAD_MS) return 'InvalidProviderToken'
    if (now - genuine.issuedAtMs > MAX_AGE_MS) return 'ExpiredProviderToken'
    if (known) return undefined
    if (now - this.#lastUpdateMs < MIN_UPDATE_MS) return 'TooManyProviderTokenUpdates'
    this.#lastUpdateMs = now
    this.#genuine.set(token, genuine)
    return undefined
  }

  #verify(token: string): GenuineToken | undefined {
    const [header = '', claims = '', signature = '', ...rest] = token.split('.')
    const parsedHeader = v.safeParse(HeaderSchema, decode(header))
    const parsedClaims = v.safeParse(ClaimsSchema, decode(claims))
    if (rest.length > 0 || !parsedHeader.success || !parsedClaims.success) return undefined
    if (parsedHeader.output.kid !== this.#deps.keyId || parsedClaims.output.iss !== this.#deps.teamId) return undefined
    const key = { key: this.#publicKey, dsaEncoding: 'ieee-p1363' } as const
    const isSigned = verify('sha256', Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, 'base64url'))
    return isSigned ? { issuedAtMs: parsedClaims.output.iat * 1000 } : undefined
  }
}

function decode(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString())
  } catch {
    return undefined
  }
}
