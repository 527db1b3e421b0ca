import type { AcceptedLog, AcceptedPush } from '../accepted-log.ts'
import type { Answer } from '../answer.ts'
import type { Faults } from '../faults.ts'
import type { Reaction, SimulatedRequest } from '../simulator-server.ts'
import { decryptMessage } from './decrypt-message.ts'
import type { SimulatedSubscriptions } from './subscriptions.ts'
import type { VapidCheck } from './vapid-check.ts'

/** What a push service has to take, and the browsers' ones take no more. */
const MAX_BODY_BYTES = 4096
/** Four weeks, and Mozilla's service takes two days more. */
const MAX_TTL_SECONDS = 2_592_000
const URGENCIES = ['very-low', 'low', 'normal', 'high']

/** A push to a browser: `target` is its name, `body` the payload that it decrypted. */
export interface AcceptedWebPush extends AcceptedPush {
  ttl: number
  urgency?: string
  topic?: string
}

export interface PushEndpointDeps {
  subscriptions: SimulatedSubscriptions
  vapid: VapidCheck
  faults: Faults
  log: AcceptedLog<AcceptedWebPush>
  /** The service's own. */
  origin(): string
}

/** POST /push/{name}. */
export class PushEndpoint {
  readonly #deps: PushEndpointDeps
  /** Requests, refused ones included. */
  requests = 0

  constructor(deps: PushEndpointDeps) {
    this.#deps = deps
  }

  /** What is accepted is in the log before this resolves. */
  async handle(name: string, { headers, body }: SimulatedRequest): Promise<Reaction> {
    this.requests++
    const { subscriptions, vapid, faults, log } = this.#deps
    const refusal = await vapid.refusalOf(headers.authorization, this.#deps.origin())
    if (refusal !== undefined) return { answer: plain(refusal) }
    const subscription = subscriptions.find(name)
    if (!subscription) return { answer: plain(404) }
    const fields = readFields(headers)
    if (!fields) return { answer: plain(400) }
    if (body.length > MAX_BODY_BYTES) return { answer: plain(413) }
    const payload = decryptMessage(body, subscription)
    // A real service can't know; here a message that no browser could read is a mistake to be seen.
    if (!payload) return { answer: plain(400) }
    const fault = faults.take(name)
    const targets = [name]
    if (fault && !fault.isAccepted) return { ...fault, targets }
    log.append({ at_ms: Date.now(), target: name, body: payload.toString(), ...fields })
    const location = `${this.#deps.origin()}/message/${log.accepted.length}`
    return { answer: plain(201, { location }), wire: fault?.wire, targets, accepted: targets }
  }
}

/** Undefined where one is missing or wrong (RFC 8030 section 5). */
function readFields(headers: SimulatedRequest['headers']): Omit<AcceptedWebPush, keyof AcceptedPush> | undefined {
  const { ttl, urgency, topic } = headers
  if (headers['content-encoding'] !== 'aes128gcm') return undefined
  if (typeof ttl !== 'string' || !/^\d+$/.test(ttl) || Number(ttl) > MAX_TTL_SECONDS) return undefined
  if (urgency !== undefined && !(typeof urgency === 'string' && URGENCIES.includes(urgency))) return undefined
  // Mozilla's service takes letters and digits alone; browsers' others what RFC 8030 allows.
  if (topic !== undefined && !(typeof topic === 'string' && /^[A-Za-z0-9_-]{1,32}$/.test(topic))) return undefined
  return { ttl: Number(ttl), ...(urgency !== undefined && { urgency }), ...(topic !== undefined && { topic }) }
}

function plain(status: number, headers: Record<string, string> = {}): Answer {
  return { status, headers, body: '' }
}
