// A stand-in for a push service and its browsers, on one TLS port. It makes the checks of such services, decrypts the
// messages as the browsers would, fails on demand (webpush-faults.ts), and records accepted pushes
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
  /** The directory for authority and log. It is created if it does not exist. */
  directory: string
  /** 0, the default, means any free port. */
  port?: number
  /** The delay of answers to `slow-` targets. */
  slowMs?: number
  /** The Retry-After of answers to `busy-` targets. */
  retryAfterSeconds?: number
  /** Random faults, besides those that targets request. */
  misbehaviour?: Misbehaviour
  /** Called for each request to send that passed the checks. */
  onTreatment?: (treatment: Treatment) => void
  /** Used in place of new ones, so that two simulators can share an authority. */
  certificates?: Certificates
}

/** A running Web Push simulator. */
export class WebPushSimulator {
  /** The certificate of the authority, and the log of accepted pushes. */
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
      // Other senders, for example the web-push package, use HTTP/1.1.
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

  /** `https://localhost:<port>`: the host of an endpoint must be a name, not an address. */
  get origin(): string {
    return `https://localhost:${new URL(this.#server.origin).port}`
  }

  /** The only key that its subscriptions accept. */
  get vapidKeys(): SimulatedVapidKeys {
    return this.#vapid.keys
  }

  /** The subscription of a browser as JSON: the token of its device. It is made at the first call. */
  subscribe(name: string): string {
    return describeSubscription(this.#subscriptions.subscribe(name), this.origin)
  }

  /** Every push that was accepted, in order. */
  get accepted(): readonly AcceptedWebPush[] {
    return this.#log.accepted
  }

  /** The number of push requests, refused ones included. */
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

  /** Refuses the VAPID key from now on; with false accepts it again. */
  revokeKey(isRevoked = true): void {
    this.#vapid.revoke(isRevoked)
  }

  /** GOAWAY follows the `count`th request from now on. Its connection processes no later streams. */
  goawayAfter(count: number): void {
    this.#server.goawayAfter(count)
  }

  /** Cuts all connections and frees the port. Safe to call twice. */
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
