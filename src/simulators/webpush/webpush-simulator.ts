// A simulator of a push service and of the browsers that use it, on one TLS port. It makes the checks of push services,
// decrypts the messages as browsers do, fails on demand (webpush-faults.ts), and records accepted pushes
// (../accepted-log.ts).
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AcceptedLog } from '../accepted-log.ts'
import { type Certificates, makeCertificates } from '../certificates.ts'
import { Faults, type Misbehaviour } from '../faults.ts'
import type { Reaction, SimulatedRequest, Treatment } from '../simulated-request.ts'
import { SimulatorServer } from '../simulator-server.ts'
import { type AcceptedWebPush, PushEndpoint } from './push-endpoint.ts'
import { describeSubscription, SimulatedSubscriptions } from './subscriptions.ts'
import { type SimulatedVapidKeys, VapidCheck } from './vapid-check.ts'
import { makeWebPushFaults } from './webpush-faults.ts'

const MAX_CONCURRENT_STREAMS = 100

export interface WebPushSimulatorOptions {
  /** The directory for the certificate authority and the log. It is created if it does not exist. */
  directory: string
  /** The port on 127.0.0.1; 0, the default, means any free port. */
  port?: number
  /** The delay of answers to `slow-` targets, in ms. */
  slowMs?: number
  /** The header Retry-After of answers to `busy-` targets. */
  retryAfterSeconds?: number
  /** Random faults, in addition to those that targets request. */
  misbehaviour?: Misbehaviour
  /** Called for each request to send that passed the checks; `treatment` says how the simulator treated it. */
  onTreatment?: (treatment: Treatment) => void
  /**
   * The certificates to use; new ones are made unless given. Two simulators can share a certificate authority in this
   * way.
   */
  certificates?: Certificates
}

/** A running Web Push simulator. */
export class WebPushSimulator {
  /** Paths of the certificate of the authority, and of the log of accepted pushes. */
  readonly files: { ca: string; log: string }
  readonly #server: SimulatorServer
  readonly #subscriptions = new SimulatedSubscriptions()
  readonly #vapid = new VapidCheck()
  readonly #endpoint: PushEndpoint
  readonly #log: AcceptedLog<AcceptedWebPush>
  #stopped: Promise<void> | undefined

  private constructor(
    options: WebPushSimulatorOptions,
    files: { ca: string; log: string },
    certificates: Certificates,
  ) {
    const { slowMs = 2000, retryAfterSeconds = 2, misbehaviour } = options
    this.files = files
    this.#log = new AcceptedLog<AcceptedWebPush>({ file: files.log })
    this.#endpoint = new PushEndpoint({
      subscriptions: this.#subscriptions,
      vapid: this.#vapid,
      faults: new Faults({ table: makeWebPushFaults(retryAfterSeconds), misbehaviour }),
      log: this.#log,
      origin: () => this.origin,
    })
    this.#server = new SimulatorServer({
      cert: certificates.cert,
      key: certificates.key,
      // HTTP/1.1 is allowed because other senders use it, for example the web-push package.
      allowsHttp1: true,
      maxConcurrentStreams: MAX_CONCURRENT_STREAMS,
      slowMs,
      handle: (request) => this.#route(request),
      onTreatment: options.onTreatment,
    })
  }

  /** Makes certificates and a VAPID key, and listens on 127.0.0.1. */
  static async start(options: WebPushSimulatorOptions): Promise<WebPushSimulator> {
    const { directory, certificates = await makeCertificates() } = options
    const files = { ca: join(directory, 'ca.pem'), log: join(directory, 'accepted.ndjson') }
    await mkdir(directory, { recursive: true })
    await writeFile(files.ca, certificates.caCert)
    const simulator = new WebPushSimulator(options, files, certificates)
    await simulator.#server.listen(options.port ?? 0)
    return simulator
  }

  /** The origin of endpoints, `https://localhost:<port>`: an endpoint must contain a host name, not an address. */
  get origin(): string {
    return `https://localhost:${new URL(this.#server.origin).port}`
  }

  /** The VAPID key pair with which all subscriptions of the simulated browsers were made. */
  get vapidKeys(): SimulatedVapidKeys {
    return this.#vapid.keys
  }

  /**
   * The subscription of the browser with this name as JSON, which is the token of its device. It is made at the first
   * call.
   */
  subscribe(name: string): string {
    return describeSubscription(this.#subscriptions.subscribe(name), this.origin)
  }

  /** Every push that was accepted, in order. */
  get accepted(): readonly AcceptedWebPush[] {
    return this.#log.accepted
  }

  /** The number of requests to send, refused ones included. */
  get pushRequests(): number {
    return this.#endpoint.requests
  }

  get goawaysSent(): number {
    return this.#server.goawaysSent
  }

  get connectionsOpened(): number {
    return this.#server.connectionsOpened
  }

  /** The most streams that were ever open at once on one connection. */
  get peakStreams(): number {
    return this.#server.peakStreams
  }

  /** Resolves as soon as `count` pushes were accepted since the start. */
  waitForAccepted(count: number): Promise<void> {
    return this.#log.waitFor(count)
  }

  /** Refuses the VAPID key from now on; with `false` it is accepted again. */
  revokeKey(isRevoked = true): void {
    this.#vapid.revoke(isRevoked)
  }

  /** Sends GOAWAY after the `count`th request from this call on. The connection processes no later streams. */
  goawayAfter(count: number): void {
    this.#server.goawayAfter(count)
  }

  /** Breaks all connections and frees the port. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopped ??= this.#server.stop().then(() => this.#log.close())
    return this.#stopped
  }

  #route(request: SimulatedRequest): Reaction | Promise<Reaction> {
    const { pathname, searchParams } = new URL(request.path, this.origin)
    const name = /^\/push\/([^/]+)$/.exec(pathname)?.[1]
    if (request.method === 'POST' && name !== undefined) return this.#endpoint.handle(decodeURIComponent(name), request)
    if (request.method === 'GET' && pathname === '/subscribe') {
      const body = this.subscribe(searchParams.get('name') ?? 'browser')
      return { answer: { status: 200, headers: { 'content-type': 'application/json' }, body } }
    }
    return { answer: { status: 404, headers: {}, body: '' } }
  }
}
