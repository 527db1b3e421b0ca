import type { AcceptedLog, AcceptedPush } from '../accepted-log.ts'
import type { Fault, Faults } from '../faults.ts'
import type { Reaction, SimulatedRequest } from '../simulated-request.ts'
import type { SimulatedAccessTokens } from './access-tokens.ts'
import { hmsAnswer } from './hms-answer.ts'
import { ILLEGAL } from './hms-faults.ts'
import { type CheckedMessage, checkMessage, type HmsTargetKind } from './message-check.ts'

/** An accepted push for one target. Its `body` is the message without targets, as compact JSON. */
export interface AcceptedHmsPush extends AcceptedPush {
  target_kind: HmsTargetKind
  /** The id of the request, which is the same for all of its tokens. */
  request_id: string
}

export interface SendEndpointDeps {
  appId: string
  tokens: SimulatedAccessTokens
  /** Decides the faults that targets request. */
  faults: Faults
  /** Decides random faults: it is asked once per request, so that a request gets at most one. */
  chance: Faults
  log: AcceptedLog<AcceptedHmsPush>
}

/** Handles requests to send: POST /v1/{app id}/messages:send. */
export class SendEndpoint {
  readonly #deps: SendEndpointDeps
  /** The number of requests to send, refused ones included. */
  requests = 0

  constructor(deps: SendEndpointDeps) {
    this.#deps = deps
  }

  /**
   * Answers a request, or produces the fault that a target requests. Accepted pushes are in the log when this returns.
   */
  handle(appId: string, { headers, body }: SimulatedRequest): Reaction {
    const requestId = `${Date.now()}${String(++this.requests).padStart(8, '0')}`
    const refusal = appId === this.#deps.appId ? this.#deps.tokens.refusalOf(headers.authorization) : '80200001'
    if (refusal) return { answer: hmsAnswer(refusal, requestId) }
    if (!/^application\/json\b/.test(headers['content-type'] ?? '')) {
      return { answer: hmsAnswer('80100001', requestId) }
    }
    const checked = checkMessage(body.toString())
    if ('refusal' in checked) return { answer: hmsAnswer(checked.refusal, requestId) }
    const { targets } = checked
    const fault = this.#takeFault(targets)
    if (fault && !fault.isAccepted) return { ...fault, targets }
    const { accepted, answer } = this.#accept(checked, requestId)
    return { answer: fault?.answer ?? answer, wire: fault?.wire, targets, accepted }
  }

  #takeFault(targets: readonly string[]): Fault | undefined {
    for (const target of targets) {
      const fault = this.#deps.faults.take(target)
      if (fault) return fault
    }
    return this.#deps.chance.take('')
  }

  #accept({ kind, targets, message }: CheckedMessage, requestId: string) {
    const illegal = kind === 'token' ? targets.filter((target) => target.startsWith(ILLEGAL)) : []
    const accepted = targets.filter((target) => !illegal.includes(target))
    if (accepted.length === 0) return { accepted, answer: hmsAnswer('80300007', requestId) }
    const atMs = Date.now()
    for (const target of accepted) {
      this.#deps.log.append({ at_ms: atMs, target_kind: kind, target, request_id: requestId, body: message })
    }
    if (illegal.length === 0) return { accepted, answer: hmsAnswer('80000000', requestId) }
    const counts = { success: accepted.length, failure: illegal.length, illegal_tokens: illegal }
    return { accepted, answer: hmsAnswer('80100000', requestId, JSON.stringify(counts)) }
  }
}
