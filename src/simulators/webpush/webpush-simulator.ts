// A stand-in for a browser's push service and for the browsers behind it, on one TLS port. It checks what such services
// check, decrypts what the browsers would get, fails on demand (webpush-faults.ts), and keeps what it accepted.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AcceptedLog } from '../accepted-log.ts'
import { type Certificates, makeCertificates } from '../certificates.ts'
import { Faults, type Misbehaviour } from '../faults.ts'
import { type Reaction, type SimulatedRequest, SimulatorServer, type Treatment } from '../simulator-server.ts'
import { type AcceptedWebPush, PushEndpoint } from './push-endpoint.ts'
import { describeSubscription, SimulatedSubscriptions } from './subscriptions.ts'
import { type SimulatedVapidKeys, VapidCheck } from './vapid-check.ts'
import { makeWebPushFaults } from './webpush-faults.ts'

const MAX_CONCURRENT_STREAMS = 100

export interface WebPushSimulatorOptions {
  /** Where authority and log are written; made if it isn't there. */
  directory: string
  /** 0, the default, takes a free one. */
  port?: number
  /** How late `slow-` targets are answered. */
  slowMs?: number
  /** What `busy-` targets are told. */
  retryAfterSeconds?: number
  /** Faults by chance. */
  misbehaviour?: Misbehaviour
  /** Told of each request to send that got past the checks. */
  onTreatment?: (treatment: Treatment) => void
  /** Instead of fresh ones: two simulators can share an authority. */
  certificates?: Certificates
}

export class WebPushSimulator {
  /** Where the authority's certificate and the log of what was accepted are. */
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
      // Other senders, the web-push package among them, speak it.
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

  /** `https://localhost:<port>`: endpoints have to be of a name and not of an address. */
  get origin(): string {
    return `https://localhost:${new URL(this.#server.origin).port}`
  }

  /** The only key that its subscriptions take. */
  get vapidKeys(): SimulatedVapidKeys {
    return this.#vapid.keys
  }

  /** A browser's subscription as JSON, which is a device's token. */
  subscribe(name: string): string {
    return describeSubscription(this.#subscriptions.subscribe(name), this.origin)
  }

  /** Every push that was accepted, in order. */
  get accepted(): readonly AcceptedWebPush[] {
    return this.#log.accepted
  }

  /** Pushes asked for, refused ones included. */
  get pushRequests(): number {
    return this.#endpoint.requests
  }

  get goawaysSent(): number {
    return this.#server.goawaysSent
  }

  get connectionsOpened(): number {
    return this.#server.connectionsOpened
  }

  get peakStreams(): number {
    return this.#server.peakStreams
  }

  /** Resolves as soon as `count` pushes were accepted since the start. */
  waitForAccepted(count: number): Promise<void> {
    return this.#log.waitFor(count)
  }

  /** From now on, or until called with false, the VAPID key is refused. */
  revokeKey(isRevoked = true): void {
    this.#vapid.revoke(isRevoked)
  }

  /** The `count`th push from now on is the last one its connection processes: GOAWAY follows, the rest is left. */
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
