import type { IncomingHttpHeaders } from 'node:http2'
import { setTimeout as delay } from 'node:timers/promises'
import type { AcceptedLog } from './accepted-log.ts'
import type { Faults } from './faults.ts'
import { type Answer, googleError, jsonAnswer } from './google-error.ts'
import { checkMessage } from './message-check.ts'
import type { TokenExchange } from './token-exchange.ts'

export interface SendEndpointDeps {
  project: string
  tokens: TokenExchange
  faults: Faults
  log: AcceptedLog
  slowMs: number
}

/** POST /v1/projects/{project}/messages:send. */
export class SendEndpoint {
  readonly #deps: SendEndpointDeps

  constructor(deps: SendEndpointDeps) {
    this.#deps = deps
  }

  /** The answer, or what the target asked for in its place. What is accepted is in the log before this resolves. */
  async handle(project: string, headers: IncomingHttpHeaders, body: string): Promise<Answer | 'hang' | 'reset'> {
    const refusal = this.#refuseCaller(project, headers)
    if (refusal) return refusal
    const checked = checkMessage(body)
    if ('refusal' in checked) return checked.refusal
    const { kind, value } = checked.target
    const fault = this.#deps.faults.take(value)
    if (fault?.kind === 'answer') return fault.answer
    const atMs = Date.now()
    const { log } = this.#deps
    log.append({ at_ms: atMs, project, target_kind: kind, target: value, body })
    const messageId = `0:${atMs}-${log.accepted.length}`
    if (fault?.kind === 'hang' || fault?.kind === 'reset') return fault.kind
    if (fault?.kind === 'slow') await delay(this.#deps.slowMs, undefined, { ref: false })
    return jsonAnswer(200, { name: `projects/${project}/messages/${messageId}` })
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
