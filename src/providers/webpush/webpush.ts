// Web Push (RFC 8030): one request for each subscription, to the push service of its browser, encrypted for it alone
// (RFC 8291), and introduced by our VAPID key (RFC 8292).
import type { LookupFunction } from 'node:net'
import type { IsAddressAllowed } from '../../http2/address-guard.ts'
import type { Http2Answer, Http2Client } from '../../http2/http2-client.ts'
import type { Http2Error } from '../../http2/http2-error.ts'
import type { Http2PoolOptions } from '../../http2/http2-pool.ts'
import type { Logger } from '../../observability/log.ts'
import type { Batch, Outcome, Provider, Settle } from '../provider.ts'
import { outcomeOfTransportFailure } from '../transport-failure.ts'
import { encryptPayload, MAX_PAYLOAD_BYTES } from './encrypt-payload.ts'
import { KeyStanding } from './key-standing.ts'
import { MIN_RETRY_DELAY_MS, outcomeOf } from './outcome.ts'
import { PushServices } from './push-services.ts'
import { isWns, makeRequestHeaders, wnsHeaders } from './request-headers.ts'
import { readSubscription, type Subscription } from './subscription.ts'
import type { VapidKeys } from './vapid-keys.ts'
import { VapidTokens } from './vapid-tokens.ts'

/** Push services answer within a second; after this long the outcome is unknown. */
const REQUEST_TIMEOUT_MS = 20_000
/** How long a subscription that refuses a key which others take is left alone. */
const REFUSED_DELAY_MS = 60_000

export interface WebPushDeps {
  keys: VapidKeys
  /** `mailto:` or `https:`, whom a push service may write to. */
  subject: string
  /** Which addresses are connected to. */
  isAddressAllowed: IsAddressAllowed
  /** What is wrong with an endpoint by the configuration of now; undefined when nothing is. */
  checkEndpoint: (endpoint: string) => string | undefined
  /** Resolves names instead of the system. */
  lookup?: LookupFunction | undefined
  /** An authority (PEM) to trust besides the built-in ones. */
  ca?: string | undefined
  /** How long an answer may take before the push counts as maybe delivered. */
  requestTimeoutMs?: number
  logger: Logger
  /** Unix time in ms. */
  nowMs?: () => number
  /** What requests go through: pools of our own unless given. */
  openClient?: (options: Http2PoolOptions) => Http2Client
}

/** A subscription and its target's place in the batch. */
interface Addressee extends Subscription {
  index: number
}

/** What all requests of a batch share. */
interface Sending {
  payload: Buffer
  headers: Record<string, string>
  settle: Settle
  signal: AbortSignal
  isWithdrawn: Batch['isWithdrawn']
  /** Why our key was refused, once it was: what is not sent by then is not tried. */
  refusal: string | undefined
  /** Subscriptions that refused a key which others take. */
  strangers: number
}

export class WebPushProvider implements Provider {
  readonly name = 'webpush'
  readonly #deps: WebPushDeps
  readonly #nowMs: () => number
  readonly #tokens: VapidTokens
  readonly #services: PushServices
  readonly #standing = new KeyStanding()

  constructor(deps: WebPushDeps) {
    this.#deps = deps
    this.#nowMs = deps.nowMs ?? Date.now
    this.#tokens = new VapidTokens(deps)
    this.#services = new PushServices({ ...deps, requestTimeoutMs: deps.requestTimeoutMs ?? REQUEST_TIMEOUT_MS })
  }

  async send(batch: Batch, settle: Settle, signal: AbortSignal): Promise<void> {
    const payload = batch.notification.json
    const headers = makeRequestHeaders(batch.notification.headers, batch.uid)
    const problem = payload.length > MAX_PAYLOAD_BYTES ? 'PAYLOAD_TOO_LARGE' : headers
    if (typeof problem === 'string') {
      for (const index of batch.targets.keys()) settle(index, { kind: 'rejected', reason: problem })
      return
    }
    const { isWithdrawn } = batch
    const sending: Sending = {
      payload,
      headers: problem,
      settle,
      signal,
      isWithdrawn,
      refusal: undefined,
      strangers: 0,
    }
    const byOrigin = this.#groupByOrigin(batch, settle)
    await Promise.all([...byOrigin].map(([origin, addressees]) => this.#sendTo(origin, addressees, sending)))
    this.#reportStrangers(batch.uid, sending.strangers)
  }

  close(): Promise<void> {
    return this.#services.close()
  }

  #reportStrangers(uid: string, strangers: number): void {
    if (strangers === 0) return
    this.#deps.logger.warn({ uid, strangers }, 'webpush: subscriptions were made with another VAPID key')
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
    const { payload, headers, settle, signal, isWithdrawn } = sending
    const isWindows = isWns(origin)
    await this.#services.clientFor(origin).send({
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
      isWithdrawn: (place) => sending.refusal !== undefined || isWithdrawn?.(addressees[place]?.index ?? -1) === true,
      onAnswer: (place, answer) => {
        settle(addressees[place]?.index ?? -1, this.#judge(answer, isWindows, sending))
      },
      onFailure: (place, error) => {
        const outcome = outcomeOfFailure(error, sending)
        if (outcome) settle(addressees[place]?.index ?? -1, outcome)
      },
    })
  }

  #judge(answer: Http2Answer, isWindows: boolean, sending: Sending): Outcome {
    const { status } = answer
    const [retryAfter, location] = [answer.header('retry-after'), answer.header('location')]
    const body = status === 400 ? answer.bodyText() : ''
    const outcome = outcomeOf({ status, retryAfter, location, body, isWns: isWindows }, this.#nowMs())
    if (outcome.kind !== 'credential') {
      // Whatever else is answered may be said before the key was looked at.
      if (outcome.kind === 'sent' || outcome.kind === 'tokenGone') this.#standing.onTaken()
      return outcome
    }
    if (this.#standing.onRefused()) {
      sending.refusal ??= outcome.reason
      return outcome
    }
    sending.strangers++
    return { kind: 'retry', reason: outcome.reason, minDelayMs: REFUSED_DELAY_MS }
  }
}

/** Undefined leaves the target unsettled. */
function outcomeOfFailure(error: Http2Error, { signal, refusal }: Sending): Outcome | undefined {
  if (error.kind === 'aborted' && refusal !== undefined && !signal.aborted) {
    return { kind: 'credential', reason: refusal }
  }
  return outcomeOfTransportFailure(error, MIN_RETRY_DELAY_MS)
}
