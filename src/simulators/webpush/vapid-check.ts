// Who may send to the simulated browsers: the owner of one VAPID key (RFC 8292), to which all subscriptions are bound.
import { generateKeyPairSync } from 'node:crypto'
import { type CryptoKey, importJWK, jwtVerify } from 'jose'
import * as v from 'valibot'

/** RFC 8292 section 2. */
const MAX_LIFE_SECONDS = 24 * 3600

const ClaimsSchema = v.object({ aud: v.string(), exp: v.number(), sub: v.string() })
/** As Safari's service has it: no blanks, no brackets. */
const SUBJECT = /^(mailto:[^\s<>]+@[^\s<>]+|https:\/\/[^\s<>]+)$/

/** Both as base64url of the raw bytes, as the configuration has them. */
export interface SimulatedVapidKeys {
  publicKey: string
  privateKey: string
}

export class VapidCheck {
  readonly keys: SimulatedVapidKeys
  readonly #jwk: Readonly<Record<string, string>>
  #key: Promise<CryptoKey | Uint8Array> | undefined
  /** Until when a token that was checked holds, Unix time in seconds. */
  readonly #checked = new Map<string, number>()
  #isRevoked = false

  constructor() {
    const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
    const { x = '', y = '', d = '' } = jwk
    const point = [Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]
    this.keys = { publicKey: Buffer.concat(point).toString('base64url'), privateKey: d }
    this.#jwk = { kty: 'EC', crv: 'P-256', alg: 'ES256', x, y }
  }

  /** From now on, or until called with false, the key is refused. */
  revoke(isRevoked: boolean): void {
    this.#isRevoked = isRevoked
  }

  /** The status that a request's Authorization header is refused with; undefined when it is good. */
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
      // Wrong signature, claims or form: services don't tell them apart.
      return undefined
    }
  }
}
