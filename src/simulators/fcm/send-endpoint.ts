import type { IncomingHttpHeaders } from 'node:http2'
import type { FcmTargetField } from '../../rules/fcm/targets.ts'
import type { AcceptedLog, AcceptedPush } from '../accepted-log.ts'
import { type Answer, jsonAnswer } from '../answer.ts'
import type { Faults } from '../faults.ts'
import type { Reaction } from '../simulated-request.ts'
import { googleError } from './google-error.ts'
import { checkMessage } from './message-check.ts'
import type { TokenExchange } from './token-exchange.ts'

/** A push that the FCM simulator accepted. */
export interface AcceptedFcmPush extends AcceptedPush {
  project: string
  target_kind: FcmTargetField
}

export interface SendEndpointDeps {
  project: string
  tokens: TokenExchange
  faults: Faults
  log: AcceptedLog<AcceptedFcmPush>
}

/** Handles requests to send a push: POST /v1/projects/{project}/messages:send. */
export class SendEndpoint {
  readonly #deps: SendEndpointDeps

  constructor(deps: SendEndpointDeps) {
    this.#deps = deps
  }

  /**
   * Answers a request, or produces the fault that the target requests. An accepted push is in the log when this
   * returns.
   */
  handle(project: string, headers: IncomingHttpHeaders, body: string): Reaction {
    const refusal = this.#refuseCaller(project, headers)
    if (refusal) return { answer: refusal }
    const checked = checkMessage(body)
    if ('refusal' in checked) return { answer: checked.refusal }
    const { kind, value } = checked.target
    const fault = this.#deps.faults.take(value)
    const targets = [value]
    if (fault && !fault.isAccepted) return { ...fault, targets }
    const atMs = Date.now()
    const { log } = this.#deps
    log.append({ at_ms: atMs, project, target_kind: kind, target: value, body })
    const name = `projects/${project}/messages/0:${atMs}-${log.accepted.length}`
    return { answer: jsonAnswer(200, { name }), wire: fault?.wire, targets, accepted: targets }
  }

  #refuseCaller(project: string, headers: IncomingHttpHeaders): Answer | undefined {
    if (!this.#deps.tokens.accepts(headers.authorization)) {
      return googleError(401, 'UNAUTHENTICATED', 'no valid access token')
    }
    if (project !== this.#deps.project) return googleError(403, 'PERMISSION_DENIED', 'not a project of this account')
    if (!/^application\/json\b/.test(headers['content-type'] ?? '')) {
      return googleError(400, 'INVALID_ARGUMENT', 'the content type must be application/json')
    }
    return undefined
  }
}
