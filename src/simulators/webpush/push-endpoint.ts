import type { AcceptedLog, AcceptedPush } from '../accepted-log.ts'
import type { Answer } from '../answer.ts'
import type { Faults } from '../faults.ts'
import type { Reaction, SimulatedRequest } from '../simulated-request.ts'
import { decryptMessage } from './decrypt-message.ts'
import type { SimulatedSubscriptions } from './subscriptions.ts'
import type { VapidCheck } from './vapid-check.ts'

/**
 * The most bytes of a message. Push services must accept 4,096 (RFC 8030 section 7.2), and those of browsers accept no
 * more.
 */
const MAX_BODY_BYTES = 4096
/** The longest TTL, thirty days, as in the Mozilla service. */
const MAX_TTL_SECONDS = 2_592_000
const URGENCIES = ['very-low', 'low', 'normal', 'high']

/** A push to a simulated browser: `target` is the name of the browser, `body` the decrypted payload. */
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
    if (body.length > MAX_BODY_BYTES) return { answer: plain(413) }
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

/** Reads the header fields of RFC 8030 section 5; undefined if one of them is absent or not valid. */
function readFields(headers: SimulatedRequest['headers']): Omit<AcceptedWebPush, keyof AcceptedPush> | undefined {
  const { ttl, urgency, topic } = headers
  if (headers['content-encoding'] !== 'aes128gcm') return undefined
  if (typeof ttl !== 'string' || !/^\d+$/.test(ttl) || Number(ttl) > MAX_TTL_SECONDS) return undefined
  if (urgency !== undefined && !(typeof urgency === 'string' && URGENCIES.includes(urgency))) return undefined
  // A `Topic` has these characters (RFC 8030 section 5.4), of which the Mozilla service accepts only letters and
  // digits.
  if (topic !== undefined && !(typeof topic === 'string' && /^[A-Za-z0-9_-]{1,32}$/.test(topic))) return undefined
  return { ttl: Number(ttl), ...(urgency !== undefined && { urgency }), ...(topic !== undefined && { topic }) }
}

function plain(status: number, headers: Record<string, string> = {}): Answer {
  return { status, headers, body: '' }
}
