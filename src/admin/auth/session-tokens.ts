// Sessions are signed tokens, so all servers with the same secret accept them and only logouts are stored. The signature
// also depends on the options of the login: a new password ends all sessions.
import { createHmac } from 'node:crypto'
import { jwtVerify, SignJWT } from 'jose'
import * as v from 'valibot'
import type { Session } from './session.ts'

/** `page`: the cookie of a browser. `api`: the header `Authorization: token …` of scripts, as a node accepts it. */
export type TokenUse = 'page' | 'api'

/** A session in a browser ends this long after its last page. */
const IDLE_SECONDS = 12 * 3600
/** A cookie is renewed when it is older than this. */
const RENEW_SECONDS = 600
/** The lifetime of a token for scripts, as at a node. */
const API_SECONDS = 30 * 24 * 3600

const ALGORITHM = 'HS256'
const Claims = v.object({
  id: v.string(),
  role: v.picklist(['admin', 'viewer']),
  person: v.string(),
  endsAt: v.number(),
  iat: v.number(),
})

interface Deps {
  secret: string
  /** The passwords and the other options of the login. */
  loginOptions: readonly string[]
  /** Unix time in ms. */
  now(): number
}

/** Issues and reads the tokens of sessions. */
export class SessionTokens {
  readonly #key: Uint8Array
  readonly #now: () => number

  constructor({ secret, loginOptions, now }: Deps) {
    this.#key = createHmac('sha256', secret)
      .update(JSON.stringify(['centripush admin', ...loginOptions]))
      .digest()
    this.#now = now
  }

  /** Signs a token. Resolves to it and to its lifetime in seconds, which is 0 for a session that has ended. */
  async issue(session: Session, use: TokenUse): Promise<{ token: string; seconds: number }> {
    const now = this.#seconds()
    const seconds = use === 'api' ? API_SECONDS : Math.max(0, Math.min(IDLE_SECONDS, session.endsAt - now))
    const token = await new SignJWT({ ...session })
      .setProtectedHeader({ alg: ALGORITHM })
      .setAudience(use)
      .setIssuedAt(now)
      .setExpirationTime(now + seconds)
      .sign(this.#key)
    return { token, seconds }
  }

  /** Reads a token. Resolves to undefined unless it was issued for this use and has not expired. */
  async read(token: string, use: TokenUse): Promise<{ session: Session; isOld: boolean } | undefined> {
    const currentDate = new Date(this.#now())
    const verified = await jwtVerify(token, this.#key, { algorithms: [ALGORITHM], audience: use, currentDate }).catch(
      () => undefined,
    )
    // Tokens of an earlier version have other claims.
    const { success, output } = v.safeParse(Claims, verified?.payload)
    if (!success) return undefined
    const { iat, ...session } = output
    return { session, isOld: this.#seconds() - iat > RENEW_SECONDS }
  }

  #seconds(): number {
    return Math.floor(this.#now() / 1000)
  }
}
