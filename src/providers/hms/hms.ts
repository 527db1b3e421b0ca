// Huawei Push Kit (https://developer.huawei.com/consumer/en/doc/HMSCore-References/https-send-api-0000001050986197):
// one request per up to a thousand tokens, or per topic or condition.
import type { CircuitBreaker } from '../../http2/circuit-breaker.ts'
import type { Http2Answer, Http2Client } from '../../http2/http2-client.ts'
import { Http2Pool } from '../../http2/http2-pool.ts'
import type { Http2PoolOptions } from '../../http2/http2-pool-options.ts'
import type { Logger } from '../../observability/log.ts'
import { makeAccessTokenRules } from '../credential/access-token.ts'
import { OAuthEndpoint } from '../credential/oauth-endpoint.ts'
import type { RefusedTargets } from '../credential/refused-targets.ts'
import { RenewableToken } from '../credential/renewable-token.ts'
import { sendWithToken } from '../credential/send-with-token.ts'
import { combineBreakers, type MakeBreaker, makeSilentBreaker, markOutage } from '../outage.ts'
import type { Availability, Batch, Provider, Settle } from '../provider.ts'
import { settleAll } from '../settle-all.ts'
import { outcomeOfTransportFailure } from '../transport-failure.ts'
import { type HmsAnswer, isFailure, MIN_RETRY_DELAY_MS, outcomeOf, TOO_LARGE } from './outcome.ts'
import { type HmsMessage, readMessage } from './request-body.ts'

/**
 * How long to wait for an answer, in ms. Huawei answers in some hundred ms, also for a thousand tokens; after this time
 * the outcome is unknown.
 */
const REQUEST_TIMEOUT_MS = 20_000
/** The most connections to Huawei. Few are enough, because one request carries up to a thousand targets. */
const MAX_CONNECTIONS = 4
/** The most tokens in a request. Huawei refuses more with code 80300010. */
const MAX_TOKENS = 1000
/** The most bytes of an answer that are read. A partial success may list 999 tokens of a few hundred characters. */
const MAX_ANSWER_BYTES = 512 * 1024

export interface HmsDeps {
  appId: string
  appSecret: string
  /** The address of Push Kit, `https://host[:port][/path]`, from the configuration. */
  pushEndpoint: string
  /** The address of Huawei's OAuth endpoint, `https://host[:port][/path]`, from the configuration. */
  authEndpoint: string
  /** A certificate authority (PEM) that is trusted besides the built-in ones. */
  ca?: string | undefined
  /** An attempt without an answer after this many ms is ambiguous. */
  requestTimeoutMs?: number
  logger: Logger
  /** Returns the current Unix time in ms; Date.now unless given. */
  nowMs?: () => number
  /** Makes the circuit breakers of the endpoints. */
  makeBreaker?: MakeBreaker
  /** Opens the HTTP/2 client for the requests; an `Http2Pool` unless given. */
  openClient?: (options: Http2PoolOptions) => Http2Client
}

/** The state of a batch, shared by its requests. */
interface Sending {
  message: HmsMessage
  batch: Batch
  settle: Settle
  signal: AbortSignal
}

/** Sends through Push Kit with the id and the secret of an app. */
export class HmsProvider implements Provider {
  readonly name = 'hms'
  readonly availability: Availability
  readonly #path: string
  readonly #client: Http2Client
  readonly #oauth: OAuthEndpoint
  readonly #tokens: RenewableToken
  readonly #nowMs: () => number
  readonly #breakers: readonly CircuitBreaker[]

  constructor(deps: HmsDeps) {
    const { appId, appSecret, ca, logger, nowMs = Date.now, makeBreaker = makeSilentBreaker } = deps
    const { openClient = (options) => new Http2Pool(options) } = deps
    const endpoint = new URL(deps.pushEndpoint)
    this.#path = `${endpoint.pathname.replace(/\/+$/, '')}/v1/${encodeURIComponent(appId)}/messages:send`
    this.#nowMs = nowMs
    this.#oauth = new OAuthEndpoint({ url: deps.authEndpoint, ca })
    const form = { grant_type: 'client_credentials', client_id: appId, client_secret: appSecret }
    const rules = makeAccessTokenRules(() => this.#oauth.requestGrant(form), nowMs)
    const tokenBreaker = makeBreaker(new URL(deps.authEndpoint).origin, { answersToClose: 1 })
    const breaker = makeBreaker(endpoint.origin)
    this.#breakers = [tokenBreaker, breaker]
    this.availability = combineBreakers(this.#breakers)
    this.#tokens = new RenewableToken({ provider: 'hms', rules, breaker: tokenBreaker, logger, nowMs })
    this.#client = openClient({
      origin: endpoint.origin,
      ca,
      maxConnections: MAX_CONNECTIONS,
      isFailure: (answer) => isFailure(answerOf(answer)),
      breaker,
      timing: { requestTimeoutMs: deps.requestTimeoutMs ?? REQUEST_TIMEOUT_MS },
      logger,
    })
  }

  async send(batch: Batch, report: Settle, signal: AbortSignal): Promise<void> {
    const settle = markOutage(report, this.#breakers)
    const message = readMessage(batch.notification.json, batch.targetKind)
    const indices = [...batch.targets.keys()]
    if (message.isTooLarge) {
      settleAll(indices, { kind: 'rejected', reason: TOO_LARGE }, settle)
      return
    }
    const sending = { message, batch, settle, signal }
    await sendWithToken({
      tokens: this.#tokens,
      indices,
      settle,
      signal,
      minRetryDelayMs: MIN_RETRY_DELAY_MS,
      attempt: (attempted, token, refused) => this.#attempt(sending, attempted, token, refused),
    })
  }

  async close(): Promise<void> {
    await this.#client.close()
    await this.#tokens.close()
    await this.#oauth.close()
  }

  /**
   * Sends the requests of one attempt. A refused token does not stop the other requests of the attempt, because there
   * are few.
   */
  #attempt(
    { message, batch, settle, signal }: Sending,
    indices: readonly number[],
    token: string,
    refused: RefusedTargets,
  ): Promise<void> {
    const { isWithdrawn } = batch
    const requests = splitAt(indices, batch.targetKind === 'token' ? MAX_TOKENS : 1)
    return this.#client.send({
      count: requests.length,
      path: this.#path,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json; charset=utf-8' },
      isWithdrawn:
        isWithdrawn &&
        ((place) => {
          // Targets that were cancelled are removed just before the request is written; its other targets are sent.
          requests[place] = (requests[place] ?? []).filter((index) => !isWithdrawn(index))
          return requests[place].length === 0
        }),
      isOutdated: isWithdrawn && ((place) => (requests[place] ?? []).some((index) => isWithdrawn(index))),
      confirmation: batch.confirmation,
      writeBody: (place, body) => message.writeBody(targetsOf(batch, requests[place]), body),
      answerHeaders: ['retry-after'],
      maxAnswerBytes: MAX_ANSWER_BYTES,
      signal,
      onAnswer: (place, answer) => {
        const outcomeByTarget = outcomeOf(answerOf(answer), this.#nowMs())
        for (const index of requests[place] ?? []) {
          const outcome = outcomeByTarget(batch.targets[index] ?? '')
          if (outcome.kind === 'credential') {
            refused.outcome ??= outcome
            refused.indices.push(index)
          } else settle(index, outcome)
        }
      },
      onFailure: (place, error) => {
        const outcome = outcomeOfTransportFailure(error, MIN_RETRY_DELAY_MS)
        if (outcome) settleAll(requests[place] ?? [], outcome, settle)
      },
    })
  }
}

function targetsOf(batch: Batch, indices: readonly number[] = []): string[] {
  return indices.map((index) => batch.targets[index] ?? '')
}

function answerOf(answer: Http2Answer): HmsAnswer {
  return { status: answer.status, retryAfter: answer.header('retry-after'), body: answer.bodyText() }
}

function splitAt(indices: readonly number[], size: number): number[][] {
  const parts: number[][] = []
  for (let from = 0; from < indices.length; from += size) parts.push(indices.slice(from, from + size))
  return parts
}
