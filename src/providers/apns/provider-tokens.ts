// The provider token: a JWT that says who we are, one for all workers. Apple wants it renewed "no more than once every 20
// minutes and no less than once every 60 minutes" and counts the tokens of a team, so its age is that of the token in the
// shared cache, not that of a process:
//
//   none ──get──▶ fresh ──(45 minutes old)──▶ ageing: used on, while the shared one is renewed ──(58 minutes)──▶ none
//   fresh ──replace, when APNs calls it expired──▶ another one if it is 20 minutes old, else it stays
//
// Whoever finds the shared one old first renews it under the cache's lock; the others find theirs there.
import { SignJWT } from 'jose'
import * as v from 'valibot'
import type { Logger } from '../../observability/log.ts'
import type { CredentialCache } from '../credential-cache.ts'
import type { SigningKey } from './signing-key.ts'

const MINUTE_MS = 60_000
const RENEW_AT_AGE_MS = 45 * MINUTE_MS
/** Two minutes before APNs calls it expired: clocks differ. */
const UNUSED_AT_AGE_MS = 58 * MINUTE_MS
/** A younger one is not replaced, whatever happens: APNs would refuse the whole team. */
const MIN_AGE_TO_RENEW_MS = 20 * MINUTE_MS
/** After a renewal in the background that failed, when the next one is tried. */
const RENEW_AGAIN_MS = 10_000

/** There is no provider token to be had: the cache can't be reached. */
export class ProviderTokenError extends Error {
  override readonly name = 'ProviderTokenError'

  constructor(options?: ErrorOptions) {
    super('no provider token for APNs: the credential cache failed', options)
  }
}

/** As it is stored in the cache. Other versions of the server read it too: add fields, never change one. */
const StoredToken = v.object({ token: v.string(), minted_at_ms: v.number() })
type ProviderToken = v.InferOutput<typeof StoredToken>

export interface ProviderTokensDeps {
  key: SigningKey
  cache: CredentialCache
  logger: Logger
  /** Unix time in ms. */
  nowMs: () => number
}

export class ProviderTokens {
  readonly #deps: ProviderTokensDeps
  readonly #name: string
  #token: ProviderToken | undefined
  /** The one that APNs called expired. */
  #expired: string | undefined
  #renewal: Promise<ProviderToken> | undefined
  #renewNotBeforeMs = 0

  constructor(deps: ProviderTokensDeps) {
    this.#deps = deps
    const { teamId, keyId, fingerprint } = deps.key
    this.#name = `apns:${teamId}:${keyId}:${fingerprint}`
  }

  /** A token that APNs takes for some more minutes. However many ask, the cache is asked once. @throws ProviderTokenError */
  async get(): Promise<string> {
    const ageMs = this.#ageMs(this.#token)
    if (!this.#token || ageMs >= UNUSED_AT_AGE_MS) return (await this.#renew()).token
    if (ageMs >= RENEW_AT_AGE_MS) this.#renewInBackground()
    return this.#token.token
  }

  /** Another token than this one, which APNs called expired, or the same if it is too young. @throws ProviderTokenError */
  async replace(token: string): Promise<string> {
    this.#expired = token
    return (await this.#renew()).token
  }

  /** Waits for a renewal under way. */
  async close(): Promise<void> {
    // Whoever asked for it has its error.
    await this.#renewal?.catch(() => undefined)
  }

  #ageMs(token: ProviderToken | undefined): number {
    return token ? this.#deps.nowMs() - token.minted_at_ms : 0
  }

  #renewInBackground(): void {
    const now = this.#deps.nowMs()
    if (now < this.#renewNotBeforeMs) return
    this.#renewNotBeforeMs = now + RENEW_AGAIN_MS
    this.#renew().catch((error: unknown) => {
      this.#deps.logger.warn({ provider: 'apns', err: error }, 'provider token not renewed; the old one still holds')
    })
  }

  #renew(): Promise<ProviderToken> {
    this.#renewal ??= this.#renewShared().finally(() => {
      this.#renewal = undefined
    })
    return this.#renewal
  }

  async #renewShared(): Promise<ProviderToken> {
    const token = parseToken(await this.#updateCache())
    if (!token) throw new ProviderTokenError()
    this.#token = token
    return token
  }

  async #updateCache(): Promise<string> {
    try {
      return await this.#deps.cache.update(this.#name, async (stored) => {
        const token = stored === undefined ? undefined : parseToken(stored)
        return stored === undefined || !token || this.#isDue(token) ? JSON.stringify(await this.#mint()) : stored
      })
    } catch (error) {
      throw new ProviderTokenError({ cause: error })
    }
  }

  #isDue(token: ProviderToken): boolean {
    return this.#ageMs(token) >= (token.token === this.#expired ? MIN_AGE_TO_RENEW_MS : RENEW_AT_AGE_MS)
  }

  async #mint(): Promise<ProviderToken> {
    const { privateKey, keyId, teamId } = this.#deps.key
    const now = this.#deps.nowMs()
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', kid: keyId })
      .setIssuer(teamId)
      .setIssuedAt(Math.floor(now / 1000))
      .sign(privateKey)
    this.#deps.logger.info({ provider: 'apns' }, 'provider token renewed for all workers')
    return { token, minted_at_ms: now }
  }
}

/** Undefined for what is no token: it is replaced. */
function parseToken(stored: string): ProviderToken | undefined {
  try {
    const parsed = v.safeParse(StoredToken, JSON.parse(stored))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}
