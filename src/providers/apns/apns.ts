// APNs (https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns): one request
// per target.
import type { CircuitBreaker } from '../../http2/circuit-breaker.ts'
import type { HeaderFields, Http2Answer, Http2Client } from '../../http2/http2-client.ts'
import { Http2Pool } from '../../http2/http2-pool.ts'
import type { Http2PoolOptions } from '../../http2/http2-pool-options.ts'
import type { Logger } from '../../observability/log.ts'
import { collectRefusals, type RefusedTargets } from '../credential/refused-targets.ts'
import { RenewableToken, type TokenSource } from '../credential/renewable-token.ts'
import { sendWithToken } from '../credential/send-with-token.ts'
import type { CredentialCache } from '../credential-cache.ts'
import { combineBreakers, type MakeBreaker, makeSilentBreaker, markOutage } from '../outage.ts'
import type { Availability, Batch, Outcome, Provider, Settle } from '../provider.ts'
import { settleAll } from '../settle-all.ts'
import type { ClientCertificate } from './client-certificate.ts'
import { makeNotificationId } from './notification-id.ts'
import { isBusy, MIN_RETRY_DELAY_MS, outcomeOf } from './outcome.ts'
import { makeProviderTokenRules } from './provider-token.ts'
import { planRequests } from './request-plan.ts'
import type { SigningKey } from './signing-key.ts'

/** How long to wait for an answer, in ms. APNs answers in tens of ms; after this time the outcome is unknown. */
const REQUEST_TIMEOUT_MS = 20_000
/** The most connections to APNs. Each has about 1,000 streams. */
const MAX_CONNECTIONS = 4
/** How long an idle connection is kept open, in ms. Apple asks for it, and may treat repeated connects as an attack. */
const IDLE_CLOSE_MS = 60 * 60_000
/** The most bytes of an answer that are read. The body of an error has about a hundred bytes. */
const MAX_ANSWER_BYTES = 4096
/** Tokens that need no escapes in a URL path. Device tokens are hexadecimal, so nearly all match. */
const PLAIN_TOKEN = /^[\w-]+$/

const ENDPOINTS: Readonly<Record<string, string>> = {
  development: 'https://api.sandbox.push.apple.com',
  production: 'https://api.push.apple.com',
}

/** The credential for APNs: a key that signs a token for the requests, or a client certificate for the connections. */
export type ApnsAuth =
  | { kind: 'token'; key: SigningKey; cache: CredentialCache }
  | { kind: 'certificate'; certificate: ClientCertificate }

export interface ApnsDeps {
  /** The service to send to: `development`, `production` or `https://host[:port][/path]`. */
  endpoint: string
  bundleId: string
  auth: ApnsAuth
  /** A certificate authority (PEM) that is trusted besides the built-in ones. */
  ca?: string | undefined
  /** An attempt without an answer after this many ms is ambiguous. */
  requestTimeoutMs?: number
  maxConnections?: number
  logger: Logger
  /** Returns the current Unix time in ms; Date.now unless given. */
  nowMs?: () => number
  /** Makes the circuit breaker of the endpoint. */
  makeBreaker?: MakeBreaker
  /** Opens the HTTP/2 client for the requests; an `Http2Pool` unless given. */
  openClient?: (options: Http2PoolOptions) => Http2Client
}

/**
 * The token source for a client certificate, which authenticates the connection: requests carry no token, so after a
 * refusal there is no other token to try.
 */
const NO_TOKENS: TokenSource = {
  current: () => '',
  get: async () => '',
  replace: async () => undefined,
  close: async () => {},
}

/** The state of a batch, shared by its requests. */
interface Sending {
  batch: Batch
  /** The headers of every request, without the Authorization header. */
  headers: HeaderFields
  /** Whether the caller's notification has an `apns-id`, which is then used for all requests. */
  hasId: boolean
  settle: Settle
  signal: AbortSignal
}

/** Sends through APNs with provider tokens or a client certificate. */
export class ApnsProvider implements Provider {
  readonly name = 'apns'
  readonly availability: Availability
  readonly #bundleId: string
  readonly #pathPrefix: string
  readonly #client: Http2Client
  readonly #tokens: TokenSource
  readonly #nowMs: () => number
  readonly #breaker: CircuitBreaker

  constructor(deps: ApnsDeps) {
    const { auth, ca, logger, nowMs = Date.now, makeBreaker = makeSilentBreaker } = deps
    const { openClient = (options) => new Http2Pool(options) } = deps
    const endpoint = new URL(ENDPOINTS[deps.endpoint] ?? deps.endpoint)
    this.#bundleId = deps.bundleId
    this.#pathPrefix = `${endpoint.pathname.replace(/\/+$/, '')}/3/device/`
    this.#nowMs = nowMs
    this.#tokens = auth.kind === 'token' ? makeTokens(auth, logger, nowMs) : NO_TOKENS
    this.#breaker = makeBreaker(endpoint.origin)
    this.availability = combineBreakers([this.#breaker])
    this.#client = openClient({
      origin: endpoint.origin,
      ca,
      breaker: this.#breaker,
      certificate: auth.kind === 'certificate' ? auth.certificate : undefined,
      maxConnections: deps.maxConnections ?? MAX_CONNECTIONS,
      isBusy: (answer) => isBusy(answer.status, () => answer.bodyText()),
      timing: { requestTimeoutMs: deps.requestTimeoutMs ?? REQUEST_TIMEOUT_MS, idleCloseMs: IDLE_CLOSE_MS },
      logger,
    })
  }

  async send(batch: Batch, report: Settle, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const settle = markOutage(report, [this.#breaker])
    const plan =
      batch.targetKind === 'token'
        ? planRequests(batch.uid, batch.notification, this.#bundleId)
        : { problem: 'target_not_supported' }
    const indices = [...batch.targets.keys()]
    if ('problem' in plan) {
      settleAll(indices, { kind: 'rejected', reason: plan.problem }, settle)
      return
    }
    const sending = { batch, ...plan, settle, signal }
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
  }

  #attempt(
    { batch, headers, hasId, settle, signal }: Sending,
    indices: readonly number[],
    token: string,
    refused: RefusedTargets,
  ): Promise<void> {
    const targetOf = (index: number) => batch.targets[index] ?? ''
    const idOf = (index: number) => headers['apns-id'] ?? makeNotificationId(batch.uid, targetOf(index))
    return this.#client.send({
      ...collectRefusals({
        batch,
        indices,
        settle,
        signal,
        minRetryDelayMs: MIN_RETRY_DELAY_MS,
        refused,
        outcomeOf: (answer, index) => this.#outcomeOf(answer, answer.header('apns-id') ?? idOf(index)),
      }),
      path: (place) => this.#pathOf(targetOf(indices[place] ?? -1)),
      headers: token === '' ? headers : { ...headers, authorization: `bearer ${token}` },
      ...(!hasId && { writeFields: (place, fields) => fields.field('apns-id', idOf(indices[place] ?? -1)) }),
      writeBody: (_, body) => body.bytes(batch.notification.json),
      answerHeaders: ['apns-id', 'retry-after'],
      maxAnswerBytes: MAX_ANSWER_BYTES,
      signal,
    })
  }

  #pathOf(token: string): string {
    return this.#pathPrefix + (PLAIN_TOKEN.test(token) ? token : encodeURIComponent(token.toWellFormed()))
  }

  #outcomeOf(answer: Http2Answer, apnsId: string): Outcome {
    const { status } = answer
    const body = status === 200 ? '' : answer.bodyText()
    return outcomeOf({ status, apnsId, retryAfter: answer.header('retry-after'), body }, this.#nowMs())
  }
}

function makeTokens(auth: Extract<ApnsAuth, { kind: 'token' }>, logger: Logger, nowMs: () => number): TokenSource {
  const rules = makeProviderTokenRules({ ...auth, logger, nowMs })
  return new RenewableToken({ provider: 'apns', rules, logger, nowMs })
}
