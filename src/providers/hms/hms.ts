// Huawei Push Kit (https://developer.huawei.com/consumer/en/doc/HMSCore-References/https-send-api-0000001050986197):
// one request per up to a thousand tokens, or per topic or condition.
import type { Http2Answer, Http2Client } from '../../http2/http2-client.ts'
import { Http2Pool, type Http2PoolOptions } from '../../http2/http2-pool.ts'
import type { Logger } from '../../observability/log.ts'
import { makeAccessTokenRules } from '../credential/access-token.ts'
import { OAuthEndpoint } from '../credential/oauth-endpoint.ts'
import type { RefusedTargets } from '../credential/refused-targets.ts'
import { RenewableToken } from '../credential/renewable-token.ts'
import { sendWithToken } from '../credential/send-with-token.ts'
import type { Batch, Provider, Settle } from '../provider.ts'
import { settleAll } from '../settle-all.ts'
import { outcomeOfTransportFailure } from '../transport-failure.ts'
import { type HmsAnswer, MIN_RETRY_DELAY_MS, outcomeOf, TOO_LARGE } from './outcome.ts'
import { type HmsMessage, readMessage } from './request-body.ts'

/** Huawei answers in some hundred ms, also for a thousand tokens. After this long the outcome is unknown. */
const REQUEST_TIMEOUT_MS = 20_000
/** Few are enough, because a request carries a thousand targets. */
const MAX_CONNECTIONS = 4
/** Huawei answers code 80300010 to more tokens. */
const MAX_TOKENS = 1000
/** A partial success may list 999 tokens of a few hundred characters. */
const MAX_ANSWER_BYTES = 512 * 1024

export interface HmsDeps {
  appId: string
  appSecret: string
  /** `https://host[:port][/path]`, from the configuration. */
  pushEndpoint: string
  /** `https://host[:port][/path]`, from the configuration. */
  authEndpoint: string
  /** A certificate authority (PEM) that is trusted besides the built-in ones. */
  ca?: string | undefined
  /** An attempt without an answer for this long is ambiguous. */
  requestTimeoutMs?: number
  logger: Logger
  /** Unix time in ms. */
  nowMs?: () => number
  /** Opens the client for the requests; an `Http2Pool` unless given. */
  openClient?: (options: Http2PoolOptions) => Http2Client
}

/** The state of a batch that all of its requests share. */
interface Sending {
  message: HmsMessage
  batch: Batch
  settle: Settle
  signal: AbortSignal
}

/** Sends through Push Kit with the id and the secret of an app. */
export class HmsProvider implements Provider {
  readonly name = 'hms'
  readonly #path: string
  readonly #client: Http2Client
  readonly #oauth: OAuthEndpoint
  readonly #tokens: RenewableToken
  readonly #nowMs: () => number

  constructor(deps: HmsDeps) {
    const { appId, appSecret, ca, logger, nowMs = Date.now, openClient = (options) => new Http2Pool(options) } = deps
    const endpoint = new URL(deps.pushEndpoint)
    this.#path = `${endpoint.pathname.replace(/\/+$/, '')}/v1/${encodeURIComponent(appId)}/messages:send`
    this.#nowMs = nowMs
    this.#oauth = new OAuthEndpoint({ url: deps.authEndpoint, ca })
    const form = { grant_type: 'client_credentials', client_id: appId, client_secret: appSecret }
    const rules = makeAccessTokenRules(() => this.#oauth.requestGrant(form), nowMs)
    this.#tokens = new RenewableToken({ provider: 'hms', rules, logger, nowMs })
    this.#client = openClient({
      origin: endpoint.origin,
      ca,
      maxConnections: MAX_CONNECTIONS,
      timing: { requestTimeoutMs: deps.requestTimeoutMs ?? REQUEST_TIMEOUT_MS },
      logger,
    })
  }

  async send(batch: Batch, settle: Settle, signal: AbortSignal): Promise<void> {
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

  /** A refusal does not withdraw the other requests: there are few of them. */
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
          // Cancelled targets leave the request at the last moment; the others are sent.
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
