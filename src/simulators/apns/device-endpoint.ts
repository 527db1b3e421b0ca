import { X509Certificate } from 'node:crypto'
import { canonicalizeDeviceToken } from '../../rules/apns/device-token.ts'
import type { AcceptedLog, AcceptedPush } from '../accepted-log.ts'
import type { SimulatedConnection } from '../connection.ts'
import type { Faults } from '../faults.ts'
import type { Reaction, SimulatedRequest } from '../simulated-request.ts'
import { accept, type Reason, refuse } from './apns-answer.ts'
import type { ApnsFault } from './apns-faults.ts'
import { readDeviceName } from './device-name.ts'
import type { ProviderTokenCheck } from './provider-token-check.ts'
import { type ApnsHeaders, pickApnsHeaders, refuseRequest } from './request-check.ts'

/** The limit of open streams of a connection on which APNs has accepted a credential. */
const MAX_CONCURRENT_STREAMS = 1000
/** The limit of open streams of a new connection. */
export const FIRST_CONCURRENT_STREAMS = 1

/** A push that the APNs simulator accepted. */
export interface AcceptedApnsPush extends AcceptedPush {
  /** The request headers that begin with `apns-`. */
  headers: ApnsHeaders
}

export interface DeviceEndpointDeps {
  bundleId: string
  tokens: ProviderTokenCheck
  /** The certificate authority (PEM) of client certificates. */
  clientCa: string
  faults: Faults<ApnsFault>
  log: AcceptedLog<AcceptedApnsPush>
  /** Returns since when the tokens of `unregistered-` devices are dead, as Unix time in ms. */
  goneSinceMs: () => number
  nowMs: () => number
}

/** Handles requests to send a push: POST /3/device/{token}. */
export class DeviceEndpoint {
  readonly #deps: DeviceEndpointDeps
  readonly #clientCa: X509Certificate
  /** Connections on which a credential was accepted. */
  readonly #authenticated = new WeakSet<SimulatedConnection>()

  constructor(deps: DeviceEndpointDeps) {
    this.#deps = deps
    this.#clientCa = new X509Certificate(deps.clientCa)
  }

  /**
   * Answers a request, or produces the fault that the device requests. An accepted push is in the log when this
   * returns.
   */
  handle(request: SimulatedRequest): Reaction {
    const headers = pickApnsHeaders(request.headers)
    const id = headers['apns-id']
    const token = readToken(request.path)
    const reason = this.#refuse(request, token, headers)
    const targets = [token ?? '']
    if (reason || token === undefined) return { answer: refuse(reason ?? 'BadPath', id), targets }
    const fault = this.#deps.faults.take(readDeviceName(token))
    if (fault?.reason) return { answer: this.#makeRefusal(fault.reason, id), targets }
    if (fault && !fault.isAccepted) return { ...fault, targets }
    this.#deps.log.append({ at_ms: this.#deps.nowMs(), target: token, body: request.body.toString(), headers })
    return { answer: accept(id), wire: fault?.wire, targets, accepted: targets }
  }

  #refuse(request: SimulatedRequest, token: string | undefined, headers: ApnsHeaders): Reason | undefined {
    if (token === undefined) return 'BadPath'
    if (request.method !== 'POST') return 'MethodNotAllowed'
    const refusal = this.#refuseCaller(request)
    if (refusal) return refusal
    this.#raiseStreamLimit(request.connection)
    if (token === '') return 'MissingDeviceToken'
    if (canonicalizeDeviceToken(token) !== token.toLowerCase()) return 'BadDeviceToken'
    return refuseRequest(headers, request.body, this.#deps.bundleId)
  }

  #refuseCaller({ headers, connection }: SimulatedRequest): Reason | undefined {
    const der = connection.clientCertificate
    if (!der || headers.authorization !== undefined) return this.#deps.tokens.refuse(headers.authorization)
    const certificate = new X509Certificate(der)
    const isOurs = certificate.checkIssued(this.#clientCa) && certificate.verify(this.#clientCa.publicKey)
    return isOurs && Date.parse(certificate.validTo) > this.#deps.nowMs() ? undefined : 'BadCertificate'
  }

  #raiseStreamLimit(connection: SimulatedConnection): void {
    if (this.#authenticated.has(connection)) return
    this.#authenticated.add(connection)
    connection.limitStreams(MAX_CONCURRENT_STREAMS)
  }

  #makeRefusal(reason: Reason, id: string | undefined) {
    const isGone = reason === 'Unregistered' || reason === 'ExpiredToken'
    return refuse(reason, id, isGone ? this.#deps.goneSinceMs() : undefined)
  }
}

/** The device token in the path of a request; undefined if the path is not `/3/device/{token}`. */
function readToken(path: string): string | undefined {
  const encoded = /^\/3\/device\/([^/?]*)$/.exec(path)?.[1]
  try {
    return encoded === undefined ? undefined : decodeURIComponent(encoded)
  } catch {
    return undefined
  }
}
