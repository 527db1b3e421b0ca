// The access token for a provider (FCM, HMS), shared by all pushes of the process:
//
//   none ──get──▶ fetching ──▶ fresh ──(5 minutes before its end)──▶ ageing: used on, while a new one is fetched
//   fresh, ageing ──(its end | drop after a 401)──▶ none
import type { ProviderName } from '../config/provider-names.ts'
import type { Logger } from '../observability/log.ts'

/** Renewal starts this long before the end, so that an outage of the endpoint shorter than that is not felt. */
const RENEW_BEFORE_END_MS = 5 * 60_000
/** After a failed renewal in the background, when the next one is tried. */
const RENEW_AGAIN_MS = 10_000
/** Not used in its last seconds: it has to hold when the server looks at it, by the server's clock. */
const UNUSED_AT_END_MS = 15_000

/** A new token, as an OAuth endpoint gave it out. */
export interface AccessTokenGrant {
  accessToken: string
  lifeMs: number
}

/** `refused`: our account or its secret is not accepted. `unavailable`: no usable answer, try again later. */
export type AccessTokenErrorKind = 'refused' | 'unavailable'

/** There is no access token. No cause is kept: it might quote the secret. */
export class AccessTokenError extends Error {
  override readonly name = 'AccessTokenError'
  readonly kind: AccessTokenErrorKind

  constructor(kind: AccessTokenErrorKind) {
    super(`no access token: ${kind}`)
    this.kind = kind
  }
}

interface AccessToken {
  text: string
  renewAtMs: number
  endsAtMs: number
}

export interface AccessTokensDeps {
  /** Whose tokens they are, for the log. */
  provider: ProviderName
  /** Gets a new token. @throws AccessTokenError */
  exchange: (nowMs: number) => Promise<AccessTokenGrant>
  logger: Logger
  /** Unix time in ms. */
  nowMs: () => number
}

export class AccessTokens {
  readonly #deps: AccessTokensDeps
  #token: AccessToken | undefined
  #renewal: Promise<AccessToken> | undefined

  constructor(deps: AccessTokensDeps) {
    this.#deps = deps
  }

  /** A token that holds for some seconds at least; however many ask, one exchange is made. @throws AccessTokenError */
  async get(): Promise<string> {
    const now = this.#deps.nowMs()
    const token = this.#token
    if (!token || now >= token.endsAtMs - UNUSED_AT_END_MS) return (await this.#renew()).text
    if (now >= token.renewAtMs) this.#renewInBackground(token)
    return token.text
  }

  /** Forgets a token that the server refused. Nothing happens if it was replaced meanwhile. */
  drop(text: string): void {
    if (this.#token?.text === text) this.#token = undefined
  }

  /** Waits for an exchange under way. */
  async close(): Promise<void> {
    // Whoever asked for it has its error.
    await this.#renewal?.catch(() => undefined)
  }

  #renewInBackground(token: AccessToken): void {
    token.renewAtMs = this.#deps.nowMs() + RENEW_AGAIN_MS
    this.#renew().catch((error: unknown) => {
      const kind = error instanceof AccessTokenError ? error.kind : 'unexpected'
      const { logger, provider } = this.#deps
      logger.warn({ provider, kind }, 'access token not renewed; the old one still holds')
    })
  }

  #renew(): Promise<AccessToken> {
    this.#renewal ??= this.#fetch().finally(() => {
      this.#renewal = undefined
    })
    return this.#renewal
  }

  async #fetch(): Promise<AccessToken> {
    const now = this.#deps.nowMs()
    const { accessToken, lifeMs } = await this.#deps.exchange(now)
    const renewAtMs = now + Math.max(lifeMs - RENEW_BEFORE_END_MS, lifeMs / 2)
    this.#token = { text: accessToken, renewAtMs, endsAtMs: now + lifeMs }
    return this.#token
  }
}
