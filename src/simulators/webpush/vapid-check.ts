// Checks VAPID tokens (RFC 8292). All subscriptions of the simulated browsers were made with one VAPID key.
import { generateKeyPairSync } from 'node:crypto'
import { type CryptoKey, importJWK, jwtVerify } from 'jose'
import * as v from 'valibot'

/** The longest validity of a VAPID token (RFC 8292 section 2). */
const MAX_LIFE_SECONDS = 24 * 3600

const ClaimsSchema = v.object({ aud: v.string(), exp: v.number(), sub: v.string() })
/**
 * An accepted contact in a VAPID token. Safari's push service accepts no blanks, no angle brackets and no localhost in
 * it: 403 BadJwtToken.
 */
const SUBJECT = /^(?:mailto:[^\s<>@]+@(?!localhost$)[^\s<>@]+|https:\/\/(?!localhost(?:[:/?#]|$))[^\s<>]+)$/i

/** Both VAPID keys in the format of the configuration: base64url of the raw bytes. */
export interface SimulatedVapidKeys {
  publicKey: string
  privateKey: string
}

/** Makes a VAPID key pair, and checks Authorization headers against it. */
export class VapidCheck {
  readonly keys: SimulatedVapidKeys
  readonly #jwk: Readonly<Record<string, string>>
  #key: Promise<CryptoKey | Uint8Array> | undefined
  /** The end of each verified token, as Unix time in seconds. */
  readonly #checked = new Map<string, number>()
  #isRevoked = false

  constructor() {
    const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
    const { x = '', y = '', d = '' } = jwk
    const point = [Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]
    this.keys = { publicKey: Buffer.concat(point).toString('base64url'), privateKey: d }
    this.#jwk = { kty: 'EC', crv: 'P-256', alg: 'ES256', x, y }
  }

  /** Refuses the key from now on, or accepts it again. */
  revoke(isRevoked: boolean): void {
    this.#isRevoked = isRevoked
  }

  /** The HTTP status for a refused Authorization header; undefined if it is accepted. */
  async refusalOf(authorization: string | undefined, origin: string): Promise<number | undefined> {
    const [, token = '', key = ''] = /^vapid t=([^,\s]+), ?k=(\S+)$/.exec(authorization ?? '') ?? []
    if (token === '') return 401
    if (this.#isRevoked || key !== this.keys.publicKey) return 403
    const now = Date.now() / 1000
    const checkedUntil = this.#checked.get(`${origin} ${token}`)
    if (checkedUntil !== undefined && now < checkedUntil) return undefined
    const expiry = await this.#verify(token, origin, now)
    if (expiry === undefined) return 403
    this.#checked.set(`${origin} ${token}`, expiry)
    return undefined
  }

  async #verify(token: string, origin: string, now: number): Promise<number | undefined> {
    try {
      this.#key ??= importJWK({ ...this.#jwk, kty: 'EC' })
      const { payload } = await jwtVerify(token, await this.#key, { algorithms: ['ES256'], audience: origin })
      const claims = v.parse(ClaimsSchema, payload)
      return claims.exp <= now + MAX_LIFE_SECONDS && SUBJECT.test(claims.sub) ? claims.exp : undefined
    } catch {
      // Undefined for a wrong signature, wrong claims and a malformed token alike: push services do not distinguish
      // them.
      return undefined
    }
  }
}
