import { X509Certificate } from 'node:crypto'
import type { AcceptedLog, AcceptedPush } from '../accepted-log.ts'
import type { SimulatedConnection } from '../connection.ts'
import type { Faults } from '../faults.ts'
import type { Reaction, SimulatedRequest } from '../simulator-server.ts'
import { accept, type Reason, refuse } from './apns-answer.ts'
import type { ApnsFault } from './apns-faults.ts'
import type { ProviderTokenCheck } from './provider-token-check.ts'
import { type ApnsHeaders, pickApnsHeaders, refuseRequest } from './request-check.ts'

/** What APNs allows on a connection once it knows who is there; until then, with provider tokens, it is one stream. */
const MAX_CONCURRENT_STREAMS = 1000
export const FIRST_CONCURRENT_STREAMS = 1

/** A device token is hexadecimal and of any length. Those of try-outs, a word and a hyphen first, are taken besides. */
const TOKEN = /^(?:(?:[0-9a-f]{2}){8,100}|[a-z]+-.+)$/i

/** A push that the APNs simulator took. */
export interface AcceptedApnsPush extends AcceptedPush {
  /** All that begin with `apns-`. */
  headers: ApnsHeaders
}

export interface DeviceEndpointDeps {
  bundleId: string
  tokens: ProviderTokenCheck
  /** The authority of client certificates (PEM). */
  clientCa: string
  faults: Faults<ApnsFault>
  log: AcceptedLog<AcceptedApnsPush>
  /** Unix time in ms since when the tokens of `unregistered-` devices are dead. */
  goneSinceMs: () => number
  nowMs: () => number
}

/** POST /3/device/{token}. */
export class DeviceEndpoint {
  readonly #deps: DeviceEndpointDeps
  readonly #clientCa: X509Certificate
  /** Connections whose client showed who it is. */
  readonly #known = new WeakSet<SimulatedConnection>()

  constructor(deps: DeviceEndpointDeps) {
    this.#deps = deps
    this.#clientCa = new X509Certificate(deps.clientCa)
  }

  /** The answer, or what the device asked for in its place. What is accepted is in the log when this returns. */
  handle(request: SimulatedRequest): Reaction {
    const headers = pickApnsHeaders(request.headers)
    const id = headers['apns-id']
    const token = readToken(request.path)
    const reason = this.#refuse(request, token, headers)
    const targets = [token ?? '']
    if (reason || token === undefined) return { answer: refuse(reason ?? 'BadPath', id), targets }
    const fault = this.#deps.faults.take(token)
    if (fault?.reason) return { answer: this.#refuseAsAsked(fault.reason, id), targets }
    if (fault && !fault.isAccepted) return { ...fault, targets }
    this.#deps.log.append({ at_ms: this.#deps.nowMs(), target: token, body: request.body.toString(), headers })
    return { answer: accept(id), wire: fault?.wire, targets, accepted: targets }
  }

  #refuse(request: SimulatedRequest, token: string | undefined, headers: ApnsHeaders): Reason | undefined {
    if (token === undefined) return 'BadPath'
    if (request.method !== 'POST') return 'MethodNotAllowed'
    const stranger = this.#refuseCaller(request)
    if (stranger) return stranger
    this.#welcome(request.connection)
    if (token === '') return 'MissingDeviceToken'
    if (!TOKEN.test(token)) return 'BadDeviceToken'
    return refuseRequest(headers, request.body, this.#deps.bundleId)
  }

  #refuseCaller({ headers, connection }: SimulatedRequest): Reason | undefined {
    const der = connection.clientCertificate
    if (!der || headers.authorization !== undefined) return this.#deps.tokens.refuse(headers.authorization)
    const certificate = new X509Certificate(der)
    const isOurs = certificate.checkIssued(this.#clientCa) && certificate.verify(this.#clientCa.publicKey)
    return isOurs && Date.parse(certificate.validTo) > this.#deps.nowMs() ? undefined : 'BadCertificate'
  }

  #welcome(connection: SimulatedConnection): void {
    if (this.#known.has(connection)) return
    this.#known.add(connection)
    connection.limitStreams(MAX_CONCURRENT_STREAMS)
  }

  #refuseAsAsked(reason: Reason, id: string | undefined) {
    const isGone = reason === 'Unregistered' || reason === 'ExpiredToken'
    return refuse(reason, id, isGone ? this.#deps.goneSinceMs() : undefined)
  }
}

/** Undefined for a path that is none of APNs'. */
function readToken(path: string): string | undefined {
  const encoded = /^\/3\/device\/([^/?]*)$/.exec(path)?.[1]
  try {
    return encoded === undefined ? undefined : decodeURIComponent(encoded)
  } catch {
    return undefined
  }
}
