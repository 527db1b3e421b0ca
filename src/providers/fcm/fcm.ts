// FCM HTTP v1 (https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send): one request per target.
import type { Http2Answer, Http2Client } from '../../http2/http2-client.ts'
import { Http2Pool, type Http2PoolOptions } from '../../http2/http2-pool.ts'
import type { Logger } from '../../observability/log.ts'
import { AccessTokens } from '../access-tokens.ts'
import { outcomeOfMissingAnswer } from '../missing-answer.ts'
import type { Batch, Outcome, Provider, Settle } from '../provider.ts'
import { untilAborted } from '../until-aborted.ts'
import { makeBodyWriter, type WriteBody } from './message-body.ts'
import { type FcmAnswer, isBusy, MIN_RETRY_DELAY_MS, outcomeOf } from './outcome.ts'
import type { ServiceAccount } from './service-account.ts'
import { TokenExchange } from './token-exchange.ts'

/** FCM answers in tens of ms; after this long the outcome is unknown. */
const REQUEST_TIMEOUT_MS = 20_000
/** A connection carries 100 streams: together they carry all that a worker may have unsettled, so that distance costs no rate. */
const MAX_CONNECTIONS = 50

export interface FcmDeps {
  serviceAccount: ServiceAccount
  /** `https://host[:port][/path]`, as the configuration has them. */
  pushEndpoint: string
  authEndpoint: string
  /** An authority (PEM) to trust besides the built-in ones. */
  ca?: string | undefined
  /** How long an answer may take before the push counts as maybe delivered. */
  requestTimeoutMs?: number
  maxConnections?: number
  logger: Logger
  /** Unix time in ms. */
  nowMs?: () => number
  /** What requests go through: a pool of our own unless given. */
  openClient?: (options: Http2PoolOptions) => Http2Client
}

interface Attempt {
  batch: Batch
  writeBody: WriteBody
  indices: readonly number[]
  settle: Settle
  signal: AbortSignal
  /** Whether a token that is refused is forgotten, so that another one is fetched. */
  dropsRefusedToken: boolean
}

/** What became of targets whose access token was refused; no outcome where it was not. */
interface Refused {
  indices: number[]
  outcome: Outcome | undefined
}

export class FcmProvider implements Provider {
  readonly name = 'fcm'
  readonly takesPersonal = true
  readonly #path: string
  readonly #client: Http2Client
  readonly #exchange: TokenExchange
  readonly #accessTokens: AccessTokens
  readonly #nowMs: () => number

  constructor(deps: FcmDeps) {
    const { serviceAccount, authEndpoint, ca, logger, nowMs = Date.now } = deps
    const endpoint = new URL(deps.pushEndpoint)
    this.#path = `${endpoint.pathname.replace(/\/+$/, '')}/v1/projects/${serviceAccount.projectId}/messages:send`
    this.#nowMs = nowMs
    this.#exchange = new TokenExchange({ serviceAccount, authEndpoint, ca })
    const exchange = (atMs: number) => this.#exchange.exchange(atMs)
    this.#accessTokens = new AccessTokens({ provider: 'fcm', exchange, logger, nowMs })
    const { openClient = (options) => new Http2Pool(options) } = deps
    this.#client = openClient({
      origin: endpoint.origin,
      ca,
      maxConnections: deps.maxConnections ?? MAX_CONNECTIONS,
      isBusy: (answer) => isBusy(answer.status, () => answer.bodyText()),
      timing: { requestTimeoutMs: deps.requestTimeoutMs ?? REQUEST_TIMEOUT_MS },
      logger,
    })
  }

  async send(batch: Batch, settle: Settle, signal: AbortSignal): Promise<void> {
    if (batch.targets.length === 0) return
    const attempt = { batch, writeBody: makeBodyWriter(batch), settle, signal }
    const refused = await this.#attempt({ ...attempt, indices: [...batch.targets.keys()], dropsRefusedToken: true })
    if (!refused.outcome) return
    // The token may have been revoked before its time. One new one is tried, shared by all that were refused; if that
    // is refused too it is kept, else each batch would have another one made.
    const { indices, outcome } = await this.#attempt({ ...attempt, indices: refused.indices, dropsRefusedToken: false })
    if (outcome) for (const index of indices) settle(index, outcome)
  }

  async close(): Promise<void> {
    await this.#client.close()
    await this.#accessTokens.close()
    await this.#exchange.close()
  }

  /**
   * Settles the targets at these indices, but returns those whose access token was refused, and with them all that had
   * not been sent by then: what FCM says of the token of one push it says of all.
   */
  async #attempt(attempt: Attempt): Promise<Refused> {
    const { batch, writeBody, indices, settle, signal, dropsRefusedToken } = attempt
    const refused: Refused = { indices: [], outcome: undefined }
    const accessToken = await this.#getAccessToken(attempt)
    if (accessToken === undefined) return refused
    const indexOf = (place: number) => indices[place] ?? -1
    await this.#client.send({
      count: indices.length,
      path: this.#path,
      headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
      writeBody: (place, body) => writeBody(indexOf(place), body),
      answerHeaders: ['retry-after'],
      signal,
      isWithdrawn: (place) => refused.outcome !== undefined || batch.isWithdrawn?.(indexOf(place)) === true,
      onAnswer: (place, answer) => {
        const outcome = outcomeOf(answerOf(answer), this.#nowMs())
        if (outcome.kind === 'credential') {
          refused.outcome ??= outcome
          refused.indices.push(indexOf(place))
        } else settle(indexOf(place), outcome)
      },
      onFailure: (place, error) => {
        const outcome = outcomeOfMissingAnswer(error, MIN_RETRY_DELAY_MS)
        if (outcome) settle(indexOf(place), outcome)
        // Withdrawn by the refusal; a target that was cancelled is left unsettled by the next attempt.
        else if (refused.outcome && !signal.aborted) refused.indices.push(indexOf(place))
      },
    })
    if (refused.outcome && dropsRefusedToken) this.#accessTokens.drop(accessToken)
    return refused
  }

  /** Undefined, and all settled that can be, when there is no token. */
  async #getAccessToken({ indices, settle, signal }: Attempt): Promise<string | undefined> {
    try {
      return await untilAborted(this.#accessTokens.get(), signal)
    } catch (error) {
      const outcome = outcomeOfMissingAnswer(error, MIN_RETRY_DELAY_MS)
      if (outcome) for (const index of indices) settle(index, outcome)
      return undefined
    }
  }
}

function answerOf(answer: Http2Answer): FcmAnswer {
  return { status: answer.status, retryAfter: answer.header('retry-after'), body: answer.bodyText() }
}
