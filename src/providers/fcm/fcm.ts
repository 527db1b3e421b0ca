// FCM HTTP v1 (https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send): one request per target.
import { Http2Error } from '../../http2/http2-error.ts'
import type { Http2Response } from '../../http2/http2-exchange.ts'
import { Http2Pool } from '../../http2/http2-pool.ts'
import type { Logger } from '../../observability/log.ts'
import type { Batch, Outcome, Provider, Settle } from '../provider.ts'
import { AccessTokens } from './access-token.ts'
import { makeBodyWriter } from './message-body.ts'
import { MIN_RETRY_DELAY_MS, outcomeOf } from './outcome.ts'
import type { ServiceAccount } from './service-account.ts'
import { TokenExchange, TokenExchangeError } from './token-exchange.ts'

/** FCM answers in tens of ms; after this long the outcome is unknown. */
const REQUEST_TIMEOUT_MS = 20_000
/** A connection carries 100 streams: this many suffice for thousands of pushes a second. */
const MAX_CONNECTIONS = 8

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
}

export class FcmProvider implements Provider {
  readonly name = 'fcm'
  readonly #path: string
  readonly #pool: Http2Pool
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
    this.#accessTokens = new AccessTokens({ exchange, logger, nowMs })
    this.#pool = new Http2Pool({
      origin: endpoint.origin,
      ca,
      maxConnections: deps.maxConnections ?? MAX_CONNECTIONS,
      requestTimeoutMs: deps.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      logger,
    })
  }

  async send(batch: Batch, settle: Settle, signal: AbortSignal): Promise<void> {
    if (batch.targets.length === 0) return
    const writeBody = makeBodyWriter(batch.notification.json, batch.targetKind)
    const accessToken = untilAborted(this.#accessTokens.get(), signal)
    await Promise.all(
      batch.targets.map(async (target, index) => {
        const outcome = await this.#sendOne(writeBody(target), accessToken, signal)
        if (outcome) settle(index, outcome)
      }),
    )
  }

  async close(): Promise<void> {
    await this.#pool.close()
    await this.#accessTokens.close()
    await this.#exchange.close()
  }

  /** Undefined when the signal came first: what became of the push is unknown then. */
  async #sendOne(body: Buffer, firstToken: Promise<string>, signal: AbortSignal): Promise<Outcome | undefined> {
    try {
      const accessToken = await firstToken
      const outcome = await this.#attempt(body, accessToken, signal)
      if (outcome.kind !== 'credential') return outcome
      // The token may have been revoked before its time. One new one is tried, shared by all that were refused; if
      // that is refused too it is kept, else each target of the batch would have another one made.
      this.#accessTokens.drop(accessToken)
      return await this.#attempt(body, await untilAborted(this.#accessTokens.get(), signal), signal)
    } catch (error) {
      return outcomeOfError(error)
    }
  }

  async #attempt(body: Buffer, accessToken: string, signal: AbortSignal): Promise<Outcome> {
    const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' }
    return outcomeOf(answerOf(await this.#pool.request({ path: this.#path, headers, body, signal })), this.#nowMs())
  }
}

function answerOf({ status, headers, body }: Http2Response) {
  return { status, retryAfter: headers['retry-after'], body }
}

/** Stops waiting when the signal comes; the work itself goes on for the others who wait for it. @throws Http2Error */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new Http2Error('aborted', 'aborted'))
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', onAbort))
}

/** What having no answer means. @throws what is a mistake of ours */
function outcomeOfError(error: unknown): Outcome | undefined {
  if (!(error instanceof TokenExchangeError || error instanceof Http2Error)) throw error
  switch (error.kind) {
    case 'refused':
      return { kind: 'credential', reason: 'oauth_refused' }
    case 'unavailable':
      return { kind: 'retry', reason: 'oauth_unavailable', minDelayMs: MIN_RETRY_DELAY_MS }
    case 'unsent':
      return { kind: 'retry', reason: error.code }
    case 'ambiguous':
      return { kind: 'retry', reason: error.code, minDelayMs: MIN_RETRY_DELAY_MS, maybeDelivered: true }
    case 'aborted':
      return undefined
  }
}
