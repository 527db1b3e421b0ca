// Web Push (RFC 8030): one request per subscription, to the push service of its browser. The payload is encrypted for
// the subscription (RFC 8291), and a token signed with the VAPID key identifies the sender (RFC 8292).
import type { LookupFunction } from 'node:net'
import type { IsAddressAllowed } from '../../http2/address-guard.ts'
import type { Http2Answer, Http2Client } from '../../http2/http2-client.ts'
import type { Http2Error } from '../../http2/http2-error.ts'
import type { Http2PoolOptions } from '../../http2/http2-pool-options.ts'
import type { Logger } from '../../observability/log.ts'
import { MAX_WEB_PUSH_PAYLOAD_BYTES } from '../../rules/webpush/payload.ts'
import { type MakeBreaker, markOutage } from '../outage.ts'
import type { Availability, Batch, Outcome, Provider, Settle } from '../provider.ts'
import { settleAll } from '../settle-all.ts'
import { outcomeOfTransportFailure } from '../transport-failure.ts'
import { encryptPayload } from './encrypt-payload.ts'
import { MIN_RETRY_DELAY_MS, outcomeOf } from './outcome.ts'
import { PushServices } from './push-services.ts'
import { isWns, makeRequestHeaders, wnsHeaders } from './request-headers.ts'
import { readSubscription, type Subscription } from './subscription.ts'
import { VapidKeyHealth } from './vapid-key-health.ts'
import type { VapidKeys } from './vapid-keys.ts'
import { VapidTokens } from './vapid-tokens.ts'

/**
 * How long to wait for an answer, in ms. Push services answer within a second; after this time the outcome is unknown.
 */
const REQUEST_TIMEOUT_MS = 20_000
/** The delay of a retry in ms, for a subscription that was made with another VAPID key. */
const FOREIGN_KEY_DELAY_MS = 60_000

export interface WebPushDeps {
  keys: VapidKeys
  /** The sender's contact for push services: a `mailto:` or `https:` URL. */
  subject: string
  /** Whether a connection to an IP address is allowed. */
  isAddressAllowed: IsAddressAllowed
  /** Returns why the configuration does not allow an endpoint; undefined if it does. */
  checkEndpoint: (endpoint: string) => string | undefined
  /** Resolves host names; the system does it unless given. */
  lookup?: LookupFunction | undefined
  /** A certificate authority (PEM) that is trusted besides the built-in ones. */
  ca?: string | undefined
  /** An attempt without an answer after this many ms is ambiguous. */
  requestTimeoutMs?: number
  logger: Logger
  /** Returns the current Unix time in ms; Date.now unless given. */
  nowMs?: () => number
  /** Makes the circuit breaker of an origin. */
  makeBreaker?: MakeBreaker
  /** Opens the HTTP/2 client for the requests to one origin; an `Http2Pool` unless given. */
  openClient?: (options: Http2PoolOptions) => Http2Client
}

/** A subscription and the index of its target in the batch. */
interface Addressee extends Subscription {
  index: number
}

/** The state of a batch, shared by its requests. */
interface Sending {
  payload: Buffer
  headers: Record<string, string>
  settle: Settle
  signal: AbortSignal
  isWithdrawn: Batch['isWithdrawn']
  confirmation: Batch['confirmation']
  /**
   * The reason of the refusal, once a push service has refused the VAPID key. From then on no request of the batch is
   * sent.
   */
  refusal: string | undefined
  /** The answers in the batch that refuse the VAPID token: their number by push service and status. */
  tokenRefusals: Map<string, number>
}

/** Sends Web Push messages with one VAPID key. */
export class WebPushProvider implements Provider {
  readonly name = 'webpush'
  readonly availability: Availability
  readonly #deps: WebPushDeps
  readonly #nowMs: () => number
  readonly #tokens: VapidTokens
  readonly #services: PushServices
  readonly #keyHealth = new VapidKeyHealth()

  constructor(deps: WebPushDeps) {
    this.#deps = deps
    this.#nowMs = deps.nowMs ?? Date.now
    this.#tokens = new VapidTokens(deps)
    const services = new PushServices({ ...deps, requestTimeoutMs: deps.requestTimeoutMs ?? REQUEST_TIMEOUT_MS })
    this.#services = services
    // A batch has targets of several services. One that is down must not delay the others: its targets are retried.
    this.availability = {
      state: 'up',
      get upForMs() {
        return services.upForMs
      },
    }
  }

  async send(batch: Batch, settle: Settle, signal: AbortSignal): Promise<void> {
    const payload = batch.notification.json
    const headers = makeRequestHeaders(batch.notification.headers, batch.uid)
    const problem = payload.length > MAX_WEB_PUSH_PAYLOAD_BYTES ? 'PAYLOAD_TOO_LARGE' : headers
    if (typeof problem === 'string') {
      settleAll([...batch.targets.keys()], { kind: 'rejected', reason: problem }, settle)
      return
    }
    const { isWithdrawn, confirmation } = batch
    const sending: Sending = {
      payload,
      headers: problem,
      settle,
      signal,
      isWithdrawn,
      confirmation,
      refusal: undefined,
      tokenRefusals: new Map(),
    }
    const byOrigin = this.#groupByOrigin(batch, settle)
    await Promise.all([...byOrigin].map(([origin, addressees]) => this.#sendTo(origin, addressees, sending)))
    this.#logTokenRefusals(batch.uid, sending)
  }

  close(): Promise<void> {
    return this.#services.close()
  }

  /** Two causes are usual: these subscriptions were made with another VAPID key, or the service refuses the subject. */
  #logTokenRefusals(uid: string, { tokenRefusals, refusal }: Sending): void {
    if (tokenRefusals.size === 0) return
    const refusals = Object.fromEntries(tokenRefusals)
    const message = `webpush: VAPID token refused${refusal === undefined ? ' for single subscriptions' : ''}`
    this.#deps.logger.warn({ uid, refusals }, message)
  }

  #groupByOrigin(batch: Batch, settle: Settle): Map<string, Addressee[]> {
    const byOrigin = new Map<string, Addressee[]>()
    batch.targets.forEach((endpoint, index) => {
      const subscription = readSubscription(endpoint, batch.keys?.[index])
      const isAllowed = subscription && this.#deps.checkEndpoint(endpoint) === undefined
      if (!isAllowed) {
        settle(index, { kind: 'rejected', reason: subscription ? 'ENDPOINT_NOT_ALLOWED' : 'INVALID_SUBSCRIPTION' })
        return
      }
      const group = byOrigin.get(subscription.origin)
      if (group) group.push({ ...subscription, index })
      else byOrigin.set(subscription.origin, [{ ...subscription, index }])
    })
    return byOrigin
  }

  async #sendTo(origin: string, addressees: readonly Addressee[], sending: Sending): Promise<void> {
    const { payload, headers, signal, isWithdrawn, confirmation } = sending
    const service = { origin, isWns: isWns(origin) }
    const { client, breaker } = this.#services.serviceOf(origin)
    const settle = markOutage(sending.settle, [breaker])
    await client.send({
      count: addressees.length,
      path: (place) => addressees[place]?.path ?? '/',
      headers: {
        ...headers,
        ...wnsHeaders(origin, headers.ttl ?? ''),
        authorization: this.#tokens.authorizationFor(origin, this.#nowMs()),
      },
      writeBody: (place, body) => {
        const keys = addressees[place]?.keys
        if (keys) body.bytes(encryptPayload(payload, keys))
      },
      answerHeaders: ['retry-after', 'location'],
      signal,
      confirmation,
      isWithdrawn: (place) => sending.refusal !== undefined || isWithdrawn?.(addressees[place]?.index ?? -1) === true,
      onAnswer: (place, answer) => {
        settle(addressees[place]?.index ?? -1, this.#judge(answer, service, sending))
      },
      onFailure: (place, error) => {
        const outcome = outcomeOfFailure(error, sending)
        if (outcome) settle(addressees[place]?.index ?? -1, outcome)
      },
    })
  }

  #judge(answer: Http2Answer, service: { origin: string; isWns: boolean }, sending: Sending): Outcome {
    const { status } = answer
    const [retryAfter, location] = [answer.header('retry-after'), answer.header('location')]
    const body = status === 400 ? answer.bodyText() : ''
    const outcome = outcomeOf({ status, retryAfter, location, body, isWns: service.isWns }, this.#nowMs())
    if (outcome.kind !== 'credential') {
      // Only these outcomes show that the key was accepted: a service may give any other answer before it checks the
      // key.
      if (outcome.kind === 'sent' || outcome.kind === 'tokenGone') this.#keyHealth.onAccepted()
      return outcome
    }
    const key = `${service.origin} ${outcome.reason}`
    sending.tokenRefusals.set(key, (sending.tokenRefusals.get(key) ?? 0) + 1)
    if (this.#keyHealth.onRefused()) {
      sending.refusal ??= outcome.reason
      return outcome
    }
    return { kind: 'retry', reason: outcome.reason, minDelayMs: FOREIGN_KEY_DELAY_MS }
  }
}

/** The outcome of a request without an answer; undefined: the target stays unsettled. */
function outcomeOfFailure(error: Http2Error, { signal, refusal }: Sending): Outcome | undefined {
  if (error.kind === 'aborted' && refusal !== undefined && !signal.aborted) {
    return { kind: 'credential', reason: refusal }
  }
  return outcomeOfTransportFailure(error, MIN_RETRY_DELAY_MS)
}
