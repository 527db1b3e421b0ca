import { findWebPushHeaderProblem } from '../../rules/webpush/headers.ts'
import { MAX_MESSAGE_BYTES } from '../../rules/webpush/payload.ts'
import type { AcceptedLog, AcceptedPush } from '../accepted-log.ts'
import type { Answer } from '../answer.ts'
import type { Faults } from '../faults.ts'
import type { Reaction, SimulatedRequest } from '../simulated-request.ts'
import { decryptMessage } from './decrypt-message.ts'
import type { SimulatedSubscriptions } from './subscriptions.ts'
import type { VapidCheck } from './vapid-check.ts'

/** A push to a simulated browser: `target` is the name of the browser, `body` the decrypted payload. */
export interface AcceptedWebPush extends AcceptedPush {
  ttl: number
  urgency?: string
  topic?: string
  content_type?: string
}

export interface PushEndpointDeps {
  subscriptions: SimulatedSubscriptions
  vapid: VapidCheck
  faults: Faults
  log: AcceptedLog<AcceptedWebPush>
  /** The origin of the simulated push service. */
  origin(): string
}

/** Handles requests to send a push: POST /push/{name}, with the name of a browser. */
export class PushEndpoint {
  readonly #deps: PushEndpointDeps
  /** The number of requests to send, refused ones included. */
  requests = 0

  constructor(deps: PushEndpointDeps) {
    this.#deps = deps
  }

  /**
   * Answers a request, or produces the fault that the browser's name requests. An accepted push is in the log when this
   * resolves.
   */
  async handle(name: string, { headers, body }: SimulatedRequest): Promise<Reaction> {
    this.requests++
    const { subscriptions, vapid, faults, log } = this.#deps
    const refusal = await vapid.refusalOf(headers.authorization, this.#deps.origin())
    if (refusal !== undefined) return { answer: plain(refusal) }
    const subscription = subscriptions.find(name)
    if (!subscription) return { answer: plain(404) }
    const fields = readFields(headers)
    if (!fields) return { answer: plain(400) }
    if (body.length > MAX_MESSAGE_BYTES) return { answer: plain(413) }
    const payload = decryptMessage(body, subscription)
    // A message that the browser cannot decrypt is refused. A real push service cannot check this; here it shows errors
    // of the encryption.
    if (!payload) return { answer: plain(400) }
    const fault = faults.take(name)
    const targets = [name]
    if (fault && !fault.isAccepted) return { ...fault, targets }
    log.append({ at_ms: Date.now(), target: name, body: payload.toString(), ...fields })
    const location = `${this.#deps.origin()}/message/${log.accepted.length}`
    return { answer: plain(201, { location }), wire: fault?.wire, targets, accepted: targets }
  }
}

/** Reads the header fields of RFC 8030 section 5; undefined if one of them is absent or a push service refuses it. */
function readFields(headers: SimulatedRequest['headers']): Omit<AcceptedWebPush, keyof AcceptedPush> | undefined {
  const { ttl, urgency, topic, 'content-type': contentType } = headers
  if (headers['content-encoding'] !== 'aes128gcm' || typeof ttl !== 'string') return undefined
  if ((urgency !== undefined && typeof urgency !== 'string') || (topic !== undefined && typeof topic !== 'string')) {
    return undefined
  }
  const fields = Object.entries({ ttl, urgency, topic })
  if (fields.some(([name, value]) => value !== undefined && findWebPushHeaderProblem(name, value))) return undefined
  return {
    ttl: Number(ttl),
    ...(urgency !== undefined && { urgency }),
    ...(topic !== undefined && { topic }),
    ...(contentType !== undefined && { content_type: contentType }),
  }
}

function plain(status: number, headers: Record<string, string> = {}): Answer {
  return { status, headers, body: '' }
}
