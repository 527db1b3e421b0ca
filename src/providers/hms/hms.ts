// Huawei Push Kit (https://developer.huawei.com/consumer/en/doc/HMSCore-References/https-send-api-0000001050986197): one
// request for up to a thousand tokens, or for one topic or condition.
import type { Http2Answer, Http2Client } from '../../http2/http2-client.ts'
import { Http2Pool, type Http2PoolOptions } from '../../http2/http2-pool.ts'
import type { Logger } from '../../observability/log.ts'
import { AccessTokens } from '../access-tokens.ts'
import { outcomeOfMissingAnswer } from '../missing-answer.ts'
import { OAuthEndpoint } from '../oauth-endpoint.ts'
import type { Batch, Outcome, Provider, Settle } from '../provider.ts'
import { untilAborted } from '../until-aborted.ts'
import { type HmsAnswer, MIN_RETRY_DELAY_MS, outcomeOf, TOO_LARGE } from './outcome.ts'
import { type HmsMessage, readMessage } from './request-body.ts'

/** Huawei answers in some hundred ms, a thousand tokens included; after this long the outcome is unknown. */
const REQUEST_TIMEOUT_MS = 20_000
/** A request carries a thousand targets: one connection would nearly do. */
const MAX_CONNECTIONS = 4
/** More than that is code 80300010. */
const MAX_TOKENS = 1000
/** A partial success may name all tokens but one, each of a few hundred characters. */
const MAX_ANSWER_BYTES = 512 * 1024

export interface HmsDeps {
  appId: string
  appSecret: string
  /** `https://host[:port][/path]`, as the configuration has them. */
  pushEndpoint: string
  authEndpoint: string
  /** An authority (PEM) to trust besides the built-in ones. */
  ca?: string | undefined
  /** How long an answer may take before the push counts as maybe delivered. */
  requestTimeoutMs?: number
  logger: Logger
  /** Unix time in ms. */
  nowMs?: () => number
  /** What requests go through: a pool of our own unless given. */
  openClient?: (options: Http2PoolOptions) => Http2Client
}

interface Attempt {
  message: HmsMessage
  /** The indices of each request's targets. */
  requests: number[][]
  batch: Batch
  settle: Settle
  signal: AbortSignal
  /** A token that is refused is replaced once; the new one is kept, else each batch would have another one made. */
  dropsRefusedToken: boolean
}

/** A target whose access token was refused. */
interface Refused {
  index: number
  outcome: Outcome
}

export class HmsProvider implements Provider {
  readonly name = 'hms'
  readonly #path: string
  readonly #client: Http2Client
  readonly #oauth: OAuthEndpoint
  readonly #accessTokens: AccessTokens
  readonly #nowMs: () => number

  constructor(deps: HmsDeps) {
    const { appId, appSecret, ca, logger, nowMs = Date.now, openClient = (options) => new Http2Pool(options) } = deps
    const endpoint = new URL(deps.pushEndpoint)
    this.#path = `${endpoint.pathname.replace(/\/+$/, '')}/v1/${encodeURIComponent(appId)}/messages:send`
    this.#nowMs = nowMs
    this.#oauth = new OAuthEndpoint({ url: deps.authEndpoint, ca })
    const form = { grant_type: 'client_credentials', client_id: appId, client_secret: appSecret }
    const exchange = () => this.#oauth.requestGrant(form)
    this.#accessTokens = new AccessTokens({ provider: 'hms', exchange, logger, nowMs })
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
    const all = [...batch.targets.keys()]
    if (message.isTooLarge) {
      for (const index of all) settle(index, { kind: 'rejected', reason: TOO_LARGE })
      return
    }
    const split = (indices: readonly number[]) => splitAt(indices, batch.targetKind === 'token' ? MAX_TOKENS : 1)
    const attempt = { message, requests: split(all), batch, settle, signal, dropsRefusedToken: true }
    const refused = await this.#attempt(attempt)
    if (refused.length === 0) return
    // The token may have been revoked before its time.
    const again = split(refused.map(({ index }) => index))
    const stillRefused = await this.#attempt({ ...attempt, requests: again, dropsRefusedToken: false })
    for (const { index, outcome } of stillRefused) settle(index, outcome)
  }

  async close(): Promise<void> {
    await this.#client.close()
    await this.#accessTokens.close()
    await this.#oauth.close()
  }

  /** Settles the targets of these requests, but returns those whose access token was refused. */
  async #attempt(attempt: Attempt): Promise<Refused[]> {
    const { message, requests, batch, settle, signal, dropsRefusedToken } = attempt
    const { isWithdrawn } = batch
    const refused: Refused[] = []
    const accessToken = await this.#getAccessToken(attempt)
    if (accessToken === undefined) return refused
    await this.#client.send({
      count: requests.length,
      path: this.#path,
      headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json; charset=utf-8' },
      isWithdrawn:
        isWithdrawn &&
        ((place) => {
          // What is sent is what is left of the request at this moment.
          requests[place] = (requests[place] ?? []).filter((index) => !isWithdrawn(index))
          return requests[place].length === 0
        }),
      writeBody: (place, body) => message.writeBody(targetsOf(batch, requests[place]), body),
      answerHeaders: ['retry-after'],
      maxAnswerBytes: MAX_ANSWER_BYTES,
      signal,
      onAnswer: (place, answer) => {
        const outcomeByTarget = outcomeOf(answerOf(answer), this.#nowMs())
        for (const index of requests[place] ?? []) {
          const outcome = outcomeByTarget(batch.targets[index] ?? '')
          if (outcome.kind === 'credential') refused.push({ index, outcome })
          else settle(index, outcome)
        }
      },
      onFailure: (place, error) => settleMissing(error, requests[place] ?? [], settle),
    })
    if (refused.length > 0 && dropsRefusedToken) this.#accessTokens.drop(accessToken)
    return refused
  }

  /** Undefined, and all settled that can be, when there is no token. */
  async #getAccessToken({ requests, settle, signal }: Attempt): Promise<string | undefined> {
    try {
      return await untilAborted(this.#accessTokens.get(), signal)
    } catch (error) {
      settleMissing(error, requests.flat(), settle)
      return undefined
    }
  }
}

function settleMissing(error: unknown, indices: readonly number[], settle: Settle): void {
  const outcome = outcomeOfMissingAnswer(error, MIN_RETRY_DELAY_MS)
  if (outcome) for (const index of indices) settle(index, outcome)
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
