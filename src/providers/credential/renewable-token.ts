// The token that authenticates the requests to one provider, shared by all batches of the process:
//
//   none ──get──▶ renewing ──▶ fresh ──(renewAtMs)──▶ ageing: still used while another one is obtained
//   fresh, ageing ──(endsAtMs)──▶ none
//   fresh, ageing ──replace, after a refusal──▶ renewing: the rules decide if the refused token is still used
//
// Only one renewal runs at a time; all callers share its result. A failed renewal leaves a token that has not ended.
import type { ProviderName } from '../../config/provider-names.ts'
import type { CircuitBreaker } from '../../http2/circuit-breaker.ts'
import type { Logger } from '../../observability/log.ts'
import { TokenError } from './token-error.ts'

/** The least time between two renewals in the background, in ms. It limits the load on an endpoint that fails. */
const BACKGROUND_RENEWAL_INTERVAL_MS = 10_000

/** A token and the times (Unix time in ms) that govern its use. */
export interface Token {
  text: string
  /** From this time on, another token is obtained in the background. */
  renewAtMs: number
  /** From this time on, the token is not used. */
  endsAtMs: number
}

/** How tokens of one provider are obtained and replaced. */
export interface TokenRules {
  /**
   * Obtains the token to use from this time on: a new one, or the one that all workers currently share.
   * @param refused the last token that the provider refused; undefined if it refused none
   * @throws TokenError
   */
  obtain(refused: string | undefined): Promise<Token>
  /** Whether another token may be accepted after a refusal with this reason. */
  isReplaceable(reason: string): boolean
  /**
   * True: a refused token stays in use until another one is obtained, and `obtain` may decide to keep it.
   * False: a refused token is never used again, unless `obtain` returns it once more.
   */
  keepsRefused: boolean
}

/** A source of tokens for requests to one provider. */
export interface TokenSource {
  /** The token for the next requests; undefined if it has to be obtained. */
  current(): string | undefined
  /** Resolves to a token for the next requests. @throws TokenError */
  get(): Promise<string>
  /**
   * A token to use in place of `refused`, which the provider refused with this reason. Undefined when the rules of the
   * provider allow no other one, so that sending again is of no use. @throws TokenError
   */
  replace(refused: string, reason: string): Promise<string | undefined>
  /** Resolves when no renewal is in progress any more. */
  close(): Promise<void>
}

export interface RenewableTokenDeps {
  /** The provider that log entries name. */
  provider: ProviderName
  rules: TokenRules
  /** The breaker of the endpoint that issues the tokens. It counts the renewals for which requests wait. */
  breaker?: CircuitBreaker | undefined
  logger: Logger
  /** Returns the current Unix time in ms. */
  nowMs: () => number
}

/** The token of one provider in this process. It is obtained at the first `get`. */
export class RenewableToken implements TokenSource {
  readonly #deps: RenewableTokenDeps
  #token: Token | undefined
  #refused: string | undefined
  #renewal: Promise<Token> | undefined
  #nextBackgroundRenewalMs = 0

  constructor(deps: RenewableTokenDeps) {
    this.#deps = deps
  }

  current(): string | undefined {
    const now = this.#deps.nowMs()
    const token = this.#token
    if (!token || now >= token.endsAtMs) return undefined
    if (now >= token.renewAtMs) this.#renewInBackground(now)
    return token.text
  }

  async get(): Promise<string> {
    return this.current() ?? (await this.#renew()).text
  }

  async replace(refused: string, reason: string): Promise<string | undefined> {
    const { isReplaceable, keepsRefused } = this.#deps.rules
    if (!isReplaceable(reason)) return undefined
    this.#refused = refused
    // The refused token was already replaced, because a request of another batch was refused before.
    if (this.#token && this.#token.text !== refused) return this.get()
    if (!keepsRefused) this.#token = undefined
    const { text } = await this.#renew()
    return keepsRefused && text === refused ? undefined : text
  }

  async close(): Promise<void> {
    // An error of the renewal is ignored here: the callers that share the renewal get it.
    await this.#renewal?.catch(() => undefined)
  }

  #renewInBackground(now: number): void {
    if (now < this.#nextBackgroundRenewalMs) return
    this.#nextBackgroundRenewalMs = now + BACKGROUND_RENEWAL_INTERVAL_MS
    this.#renew().catch((error: unknown) => {
      const { logger, provider } = this.#deps
      // Only a TokenError is logged: any other error could quote a secret.
      const fields = error instanceof TokenError ? { err: error, reason: error.reason } : { reason: 'unexpected' }
      logger.warn({ provider, ...fields }, 'credential: token not renewed, the previous one is still used')
    })
  }

  #renew(): Promise<Token> {
    this.#renewal ??= (this.#isUsable ? this.#obtain() : this.#obtainOrFail()).finally(() => {
      this.#renewal = undefined
    })
    return this.#renewal
  }

  get #isUsable(): boolean {
    return this.#token !== undefined && this.#deps.nowMs() < this.#token.endsAtMs
  }

  async #obtain(): Promise<Token> {
    this.#token = await this.#deps.rules.obtain(this.#refused)
    return this.#token
  }

  /** Requests wait for the token. While its endpoint is down, they fail without another call of it. */
  async #obtainOrFail(): Promise<Token> {
    const { breaker } = this.#deps
    if (breaker?.admit() === false) throw new TokenError('oauth_unavailable', { detail: 'origin_down' })
    try {
      const token = await this.#obtain()
      breaker?.onAnswer()
      return token
    } catch (error) {
      const isDown = error instanceof TokenError && error.reason === 'oauth_unavailable'
      if (isDown) breaker?.onFailure(error.detail ?? error.reason)
      else breaker?.onAnswer()
      throw error
    }
  }
}
