// Access tokens for FCM, by firebase-admin's service-account credential. Its own cache can neither be dropped after a
// 401 nor renewed in the background, so each exchange takes a fresh credential and the token is kept here:
//
//   none ──get──▶ fetching ──▶ fresh ──(5 minutes before its end)──▶ ageing: used on, while a new one is fetched
//   fresh, ageing ──(its end | drop after a 401)──▶ none
import { cert, type GoogleOAuthAccessToken } from 'firebase-admin/app'
import * as v from 'valibot'
import type { Logger } from '../../observability/log.ts'
import { loadServiceAccount, type ServiceAccount, ServiceAccountError } from './service-account.ts'
import { TokenEndpointAgent } from './token-endpoint-agent.ts'

/** Renewal starts this long before the end, so that an outage of the endpoint shorter than that is not felt. */
const RENEW_BEFORE_END_MS = 5 * 60_000
/** After a failed renewal in the background, when the next one is tried. */
const RENEW_AGAIN_MS = 10_000
/** Not used in the last seconds: it has to be valid when the server looks at it, by the server's clock. */
const UNUSED_AT_END_MS = 15_000
/** The library repeats failed exchanges with pauses; all of that takes no longer than this. */
const EXCHANGE_TIMEOUT_MS = 30_000

/**
 * `credential`: Google refuses the service account. `unavailable`: no usable answer, try again later.
 * `aborted`: the caller's signal ended the wait.
 */
export type AccessTokenErrorKind = 'credential' | 'unavailable' | 'aborted'

/** There is no access token. Neither text nor cause of the library's error is kept: both may quote the assertion. */
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
  serviceAccount: ServiceAccount
  /** Only its host and port count; the path is Google's `/token`. */
  authEndpoint: string
  /** An authority (PEM) to trust besides the built-in ones. */
  ca?: string | undefined
  logger: Logger
  /** Unix time in ms. */
  nowMs: () => number
}

export class AccessTokens {
  readonly #deps: AccessTokensDeps
  readonly #agent: TokenEndpointAgent
  #token: AccessToken | undefined
  #exchange: Promise<AccessToken> | undefined

  constructor(deps: AccessTokensDeps) {
    this.#deps = deps
    this.#agent = new TokenEndpointAgent(new URL(deps.authEndpoint), deps.ca)
  }

  /** A token that holds for some seconds at least; however many ask, one exchange is made. @throws AccessTokenError */
  async get(signal: AbortSignal): Promise<string> {
    const now = this.#deps.nowMs()
    const token = this.#token
    if (!token || now >= token.endsAtMs - UNUSED_AT_END_MS) return (await abortable(this.#renew(), signal)).text
    if (now >= token.renewAtMs) this.#renewInBackground(token)
    return token.text
  }

  /** Forgets a token that the server refused. Nothing happens if it was replaced meanwhile. */
  drop(text: string): void {
    if (this.#token?.text === text) this.#token = undefined
  }

  /** Waits for an exchange under way and closes the connection. */
  async close(): Promise<void> {
    await this.#exchange?.catch(() => undefined)
    this.#agent.destroy()
  }

  #renewInBackground(token: AccessToken): void {
    token.renewAtMs = this.#deps.nowMs() + RENEW_AGAIN_MS
    this.#renew().catch((error: unknown) => {
      const kind = error instanceof AccessTokenError ? error.kind : 'unavailable'
      this.#deps.logger.warn({ provider: 'fcm', kind }, 'access token not renewed; the old one still holds')
    })
  }

  #renew(): Promise<AccessToken> {
    this.#exchange ??= this.#fetch().finally(() => {
      this.#exchange = undefined
    })
    return this.#exchange
  }

  async #fetch(): Promise<AccessToken> {
    try {
      const granted = await withDeadline(this.#askForToken(), EXCHANGE_TIMEOUT_MS)
      const now = this.#deps.nowMs()
      const lifeMs = granted.expires_in * 1000
      const renewAtMs = now + Math.max(lifeMs - RENEW_BEFORE_END_MS, lifeMs / 2)
      this.#token = { text: granted.access_token, renewAtMs, endsAtMs: now + lifeMs }
      return this.#token
    } catch (error) {
      throw new AccessTokenError(kindOf(error))
    }
  }

  async #askForToken(): Promise<GoogleOAuthAccessToken> {
    // firebase-admin reads the file itself, and a key may have been exchanged since: it is checked each time.
    const { file } = await loadServiceAccount(this.#deps.serviceAccount.file)
    // By its path: given the object, firebase-admin does not use the agent.
    return cert(file, this.#agent).getAccessToken()
  }
}

const AnsweredSchema = v.object({ response: v.object({ status: v.number() }) })

/** RFC 6749 section 5.2: 400 and 401 are about our assertion. Anything else may pass. */
function kindOf(error: unknown): AccessTokenErrorKind {
  if (error instanceof ServiceAccountError) return 'credential'
  const answered = v.safeParse(AnsweredSchema, error)
  const status = answered.success ? answered.output.response.status : 0
  return status === 400 || status === 401 || status === 403 ? 'credential' : 'unavailable'
}

async function withDeadline<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AccessTokenError('unavailable')), timeoutMs)
  })
  return Promise.race([work, deadline]).finally(() => clearTimeout(timer))
}

/** Stops waiting when the signal comes; the work itself goes on for the others who wait for it. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new AccessTokenError('aborted'))
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
  })
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', onAbort))
}
