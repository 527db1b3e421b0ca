// APNs (https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns): one request
// per device.
import type { Http2Answer, Http2Client } from '../../http2/http2-client.ts'
import type { Http2Error } from '../../http2/http2-error.ts'
import { Http2Pool, type Http2PoolOptions } from '../../http2/http2-pool.ts'
import type { Logger } from '../../observability/log.ts'
import type { CredentialCache } from '../credential-cache.ts'
import { outcomeOfMissingAnswer } from '../missing-answer.ts'
import type { Batch, Outcome, Provider, Settle } from '../provider.ts'
import { untilAborted } from '../until-aborted.ts'
import type { ClientCertificate } from './client-certificate.ts'
import { makeNotificationId } from './notification-id.ts'
import { EXPIRED_PROVIDER_TOKEN, isBusy, MIN_RETRY_DELAY_MS, outcomeOf } from './outcome.ts'
import { ProviderTokenError, ProviderTokens } from './provider-tokens.ts'
import { planRequests } from './request-plan.ts'
import type { SigningKey } from './signing-key.ts'

/** APNs answers in tens of ms; after this long the outcome is unknown. */
const REQUEST_TIMEOUT_MS = 20_000
/** A connection carries about 1,000 streams. */
const MAX_CONNECTIONS = 4
/** "Keep a connection open": a server that connects again and again looks like an attack. */
const IDLE_CLOSE_MS = 60 * 60_000
/** A refusal has a hundred bytes. */
const MAX_ANSWER_BYTES = 4096
/** Tokens are hexadecimal; these need no escapes. */
const PLAIN_TOKEN = /^[\w-]+$/

const ENDPOINTS: Readonly<Record<string, string>> = {
  development: 'https://api.sandbox.push.apple.com',
  production: 'https://api.push.apple.com',
}

/** How we say who we are: with a signed token in each request, or with a certificate when connecting. */
export type ApnsAuth =
  | { kind: 'token'; key: SigningKey; cache: CredentialCache }
  | { kind: 'certificate'; certificate: ClientCertificate }

export interface ApnsDeps {
  /** `development`, `production` or `https://host[:port][/path]`. */
  endpoint: string
  bundleId: string
  auth: ApnsAuth
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

const NO_TOKEN: Outcome = {
  kind: 'retry',
  reason: 'credential_cache_unavailable',
  minDelayMs: MIN_RETRY_DELAY_MS,
}

/** The targets that were not settled because the credential was refused, and the first refusal. */
interface Refused {
  indices: number[]
  outcome: Extract<Outcome, { kind: 'credential' }> | undefined
}

interface Attempt {
  batch: Batch
  /** What all requests share, the credential aside. */
  headers: Readonly<Record<string, string>>
  /** The caller's `apns-id` is among the headers. */
  hasId: boolean
  indices: readonly number[]
  settle: Settle
  signal: AbortSignal
}

export class ApnsProvider implements Provider {
  readonly name = 'apns'
  readonly #bundleId: string
  readonly #pathPrefix: string
  readonly #client: Http2Client
  /** Undefined where a certificate says who we are. */
  readonly #tokens: ProviderTokens | undefined
  readonly #nowMs: () => number

  constructor(deps: ApnsDeps) {
    const { auth, ca, logger, nowMs = Date.now, openClient = (options) => new Http2Pool(options) } = deps
    const endpoint = new URL(ENDPOINTS[deps.endpoint] ?? deps.endpoint)
    this.#bundleId = deps.bundleId
    this.#pathPrefix = `${endpoint.pathname.replace(/\/+$/, '')}/3/device/`
    this.#nowMs = nowMs
    this.#tokens = auth.kind === 'token' ? new ProviderTokens({ ...auth, logger, nowMs }) : undefined
    this.#client = openClient({
      origin: endpoint.origin,
      ca,
      certificate: auth.kind === 'certificate' ? auth.certificate : undefined,
      maxConnections: deps.maxConnections ?? MAX_CONNECTIONS,
      isBusy: (answer) => isBusy(answer.status, () => answer.bodyText()),
      timing: { requestTimeoutMs: deps.requestTimeoutMs ?? REQUEST_TIMEOUT_MS, idleCloseMs: IDLE_CLOSE_MS },
      logger,
    })
  }

  async send(batch: Batch, settle: Settle, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const plan =
      batch.targetKind === 'token'
        ? planRequests(batch.uid, batch.notification, this.#bundleId)
        : { problem: 'target_not_supported' }
    const indices = [...batch.targets.keys()]
    if ('problem' in plan) settleAll(indices, rejectedAs(plan.problem), settle)
    else await this.#sendRequests({ batch, ...plan, indices, settle, signal })
  }

  async close(): Promise<void> {
    await this.#client.close()
    await this.#tokens?.close()
  }

  async #sendRequests(attempt: Attempt): Promise<void> {
    const token = await this.#waitForToken(attempt, this.#tokens?.get())
    if (token === undefined) return
    const refused = await this.#attempt(attempt, token)
    if (!refused.outcome) return
    const left = { ...attempt, indices: refused.indices }
    // What APNs says of one push it says of all, and asking again and again with a credential that is refused makes
    // Apple close connections. A token called expired may be replaced, once.
    const isExpired = refused.outcome.reason === EXPIRED_PROVIDER_TOKEN
    const another = isExpired ? await this.#waitForToken(left, this.#tokens?.replace(token)) : token
    if (another === undefined) return
    const { indices, outcome } = another === token ? refused : await this.#attempt(left, another)
    if (outcome) settleAll(indices, outcome, left.settle)
  }

  /** Settles the targets of an attempt, but returns those that the credential was refused for. */
  async #attempt({ batch, headers, hasId, indices, settle, signal }: Attempt, token: string): Promise<Refused> {
    const { isWithdrawn } = batch
    const refused: Refused = { indices: [], outcome: undefined }
    const indexOf = (place: number) => indices[place] ?? -1
    const targetOf = (place: number) => batch.targets[indexOf(place)] ?? ''
    const idOf = (place: number) => headers['apns-id'] ?? makeNotificationId(batch.uid, targetOf(place))
    await this.#client.send({
      count: indices.length,
      // Without a path a request is not sent: no more are opened once the credential was refused.
      path: (place) => (refused.outcome ? '' : this.#pathOf(targetOf(place))),
      headers: token === '' ? headers : { ...headers, authorization: `bearer ${token}` },
      ...(!hasId && { writeFields: (place, fields) => fields.field('apns-id', idOf(place)) }),
      writeBody: (_, body) => body.bytes(batch.notification.json),
      answerHeaders: ['apns-id', 'retry-after'],
      maxAnswerBytes: MAX_ANSWER_BYTES,
      signal,
      isWithdrawn: isWithdrawn && ((place) => isWithdrawn(indexOf(place))),
      onAnswer: (place, answer) => {
        const outcome = this.#outcomeOf(answer, () => idOf(place))
        if (outcome.kind === 'credential') {
          refused.outcome ??= outcome
          refused.indices.push(indexOf(place))
        } else settle(indexOf(place), outcome)
      },
      onFailure: (place, error) => {
        if (error.code === 'request_invalid' && refused.outcome) refused.indices.push(indexOf(place))
        else settleFailure(indexOf(place), error, settle)
      },
    })
    return refused
  }

  /** Empty where no token is asked for; undefined, and all settled that can be, when there is none. */
  async #waitForToken({ indices, settle, signal }: Attempt, token = Promise.resolve('')): Promise<string | undefined> {
    try {
      return await untilAborted(token, signal)
    } catch (error) {
      if (error instanceof ProviderTokenError) settleAll(indices, NO_TOKEN, settle)
      else if (!signal.aborted) throw error
      return undefined
    }
  }

  #pathOf(token: string): string {
    return this.#pathPrefix + (PLAIN_TOKEN.test(token) ? token : encodeURIComponent(token.toWellFormed()))
  }

  #outcomeOf(answer: Http2Answer, sentId: () => string): Outcome {
    const { status } = answer
    const apnsId = answer.header('apns-id') ?? sentId()
    const body = status === 200 ? '' : answer.bodyText()
    return outcomeOf({ status, apnsId, retryAfter: answer.header('retry-after'), body }, this.#nowMs())
  }
}

function settleFailure(index: number, error: Http2Error, settle: Settle): void {
  // A header of the caller's or a token that no HTTP request can carry: it will be none at the next attempt either.
  const isOurs = error.code === 'request_invalid'
  const outcome = isOurs ? rejectedAs(error.code) : outcomeOfMissingAnswer(error, MIN_RETRY_DELAY_MS)
  if (outcome) settle(index, outcome)
}

function rejectedAs(reason: string): Outcome {
  return { kind: 'rejected', reason }
}

function settleAll(indices: readonly number[], outcome: Outcome, settle: Settle): void {
  for (const index of indices) settle(index, outcome)
}
