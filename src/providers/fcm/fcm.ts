// FCM HTTP v1 (https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send): one request per target.
import type { CircuitBreaker } from '../../http2/circuit-breaker.ts'
import type { Http2Client } from '../../http2/http2-client.ts'
import { Http2Pool } from '../../http2/http2-pool.ts'
import type { Http2PoolOptions } from '../../http2/http2-pool-options.ts'
import type { Logger } from '../../observability/log.ts'
import { makeAccessTokenRules } from '../credential/access-token.ts'
import { collectRefusals } from '../credential/refused-targets.ts'
import { RenewableToken } from '../credential/renewable-token.ts'
import { sendWithToken } from '../credential/send-with-token.ts'
import { combineBreakers, type MakeBreaker, makeSilentBreaker, markOutage } from '../outage.ts'
import type { Availability, Batch, Provider, Settle } from '../provider.ts'
import { GoogleTokens } from './google-account.ts'
import type { FcmAccount } from './load-account.ts'
import { makeBodyWriter } from './message-body.ts'
import { isBusy, isFailure, MIN_RETRY_DELAY_MS, outcomeOf } from './outcome.ts'
import { TokenExchange } from './token-exchange.ts'

/** How long to wait for an answer, in ms. FCM answers in tens of ms; after this time the outcome is unknown. */
const REQUEST_TIMEOUT_MS = 20_000
/**
 * The most connections to FCM. Each has 100 streams, so together they carry all targets that a worker may have in
 * flight, and a long round trip does not lower the rate.
 */
const MAX_CONNECTIONS = 50
const ANSWER_HEADERS = ['retry-after']

export interface FcmDeps {
  account: FcmAccount
  /** The address of FCM, `https://host[:port][/path]`, from the configuration. */
  pushEndpoint: string
  /** The address of Google's OAuth endpoint, `https://host[:port][/path]`, from the configuration. */
  authEndpoint: string
  /** A certificate authority (PEM) that is trusted besides the built-in ones. */
  ca?: string | undefined
  /** An attempt without an answer after this many ms is ambiguous. */
  requestTimeoutMs?: number
  maxConnections?: number
  logger: Logger
  /** Returns the current Unix time in ms; Date.now unless given. */
  nowMs?: () => number
  /** Makes the circuit breakers of the endpoints. */
  makeBreaker?: MakeBreaker
  /** Opens the HTTP/2 client for the requests; an `Http2Pool` unless given. */
  openClient?: (options: Http2PoolOptions) => Http2Client
}

/** Sends through FCM HTTP v1. */
export class FcmProvider implements Provider {
  readonly name = 'fcm'
  readonly takesPersonal = true
  readonly availability: Availability
  readonly #path: string
  readonly #client: Http2Client
  readonly #headers: Record<string, string>
  /** The headers with a token. The pool encodes the same object once. */
  #authorized: { token: string; headers: Record<string, string> } | undefined
  readonly #exchange: TokenExchange | GoogleTokens
  readonly #tokens: RenewableToken
  readonly #nowMs: () => number
  readonly #breakers: readonly CircuitBreaker[]

  constructor(deps: FcmDeps) {
    const { account, authEndpoint, ca, logger, nowMs = Date.now, makeBreaker = makeSilentBreaker } = deps
    const endpoint = new URL(deps.pushEndpoint)
    this.#path = `${endpoint.pathname.replace(/\/+$/, '')}/v1/projects/${account.projectId}/messages:send`
    this.#nowMs = nowMs
    this.#headers = {
      'content-type': 'application/json',
      // https://cloud.google.com/docs/quotas/set-quota-project
      ...(account.quotaProjectId !== undefined && { 'x-goog-user-project': account.quotaProjectId }),
    }
    this.#exchange =
      'privateKeyPem' in account
        ? new TokenExchange({ serviceAccount: account, authEndpoint, ca })
        : new GoogleTokens({ account, authEndpoint, ca })
    const rules = makeAccessTokenRules((atMs) => this.#exchange.exchange(atMs), nowMs)
    const tokenBreaker = makeBreaker(new URL(authEndpoint).origin, { answersToClose: 1 })
    const breaker = makeBreaker(endpoint.origin)
    this.#breakers = [tokenBreaker, breaker]
    this.availability = combineBreakers(this.#breakers)
    this.#tokens = new RenewableToken({ provider: 'fcm', rules, breaker: tokenBreaker, logger, nowMs })
    const { openClient = (options) => new Http2Pool(options) } = deps
    this.#client = openClient({
      origin: endpoint.origin,
      ca,
      maxConnections: deps.maxConnections ?? MAX_CONNECTIONS,
      isBusy,
      isFailure,
      breaker,
      timing: { requestTimeoutMs: deps.requestTimeoutMs ?? REQUEST_TIMEOUT_MS },
      logger,
    })
  }

  async send(batch: Batch, report: Settle, signal: AbortSignal): Promise<void> {
    if (batch.targets.length === 0) return
    const settle = markOutage(report, this.#breakers)
    const writeBody = makeBodyWriter(batch)
    await sendWithToken({
      tokens: this.#tokens,
      indices: [...batch.targets.keys()],
      settle,
      signal,
      minRetryDelayMs: MIN_RETRY_DELAY_MS,
      attempt: (indices, token, refused) =>
        this.#client.send({
          ...collectRefusals({
            batch,
            indices,
            settle,
            signal,
            minRetryDelayMs: MIN_RETRY_DELAY_MS,
            refused,
            outcomeOf: (answer) => outcomeOf(answer, this.#nowMs),
          }),
          path: this.#path,
          headers: this.#authorize(token),
          writeBody: (place, body) => writeBody(indices[place] ?? -1, body),
          answerHeaders: ANSWER_HEADERS,
          signal,
        }),
    })
  }

  #authorize(token: string): Record<string, string> {
    if (this.#authorized?.token !== token) {
      this.#authorized = { token, headers: { ...this.#headers, authorization: `Bearer ${token}` } }
    }
    return this.#authorized.headers
  }

  async close(): Promise<void> {
    await this.#client.close()
    await this.#tokens.close()
    await this.#exchange.close()
  }
}
