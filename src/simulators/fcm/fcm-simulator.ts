// A simulator of FCM HTTP v1 and of Google's OAuth endpoint, both on one TLS port. It makes the checks that Google
// documents, fails on demand (fcm-faults.ts), and records accepted pushes (../accepted-log.ts).
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AcceptedLog } from '../accepted-log.ts'
import { makeCertificates } from '../certificates.ts'
import { Faults, type Misbehaviour } from '../faults.ts'
import type { Reaction, SimulatedRequest, Treatment } from '../simulated-request.ts'
import { SimulatorServer } from '../simulator-server.ts'
import { makeFcmFaults } from './fcm-faults.ts'
import { googleError } from './google-error.ts'
import { type AcceptedFcmPush, SendEndpoint } from './send-endpoint.ts'
import { makeServiceAccount } from './service-account.ts'
import { TokenExchange } from './token-exchange.ts'

/** The limit of open streams of a connection to FCM. */
const MAX_CONCURRENT_STREAMS = 100

export interface FcmSimulatorOptions {
  /**
   * The directory for the service account, the certificate authority and the log. It is created if it does not exist.
   */
  directory: string
  /** The port on 127.0.0.1; 0, the default, means any free port. */
  port?: number
  project?: string
  /** How long an access token is valid, an hour unless given. */
  accessTokenSeconds?: number
  /** The limit of open streams of a connection; 100, as that of FCM, unless given. */
  maxStreams?: number
  /** The delay of answers to `slow-` targets, in ms. */
  slowMs?: number
  /** The header Retry-After of answers to `quota-` targets. */
  retryAfterSeconds?: number
  /** Random faults, in addition to those that targets request. */
  misbehaviour?: Misbehaviour
  /** Called for each request to send that passed the checks; `treatment` says how the simulator treated it. */
  onTreatment?: (treatment: Treatment) => void
}

/** Paths of the files that a client needs, and of the log of accepted pushes. */
export interface SimulatorFiles {
  credentials: string
  ca: string
  log: string
}

interface Parts {
  server: SimulatorServer
  tokens: TokenExchange
  log: AcceptedLog<AcceptedFcmPush>
  files: SimulatorFiles
  project: string
}

/** A running FCM simulator. */
export class FcmSimulator {
  readonly files: SimulatorFiles
  readonly project: string
  readonly #parts: Parts
  #stopped: Promise<void> | undefined

  private constructor(parts: Parts) {
    this.files = parts.files
    this.project = parts.project
    this.#parts = parts
  }

  /** Makes certificates and a service account, writes them, and listens on 127.0.0.1. */
  static async start(options: FcmSimulatorOptions): Promise<FcmSimulator> {
    const { directory, project = 'simulated-project', retryAfterSeconds = 2, misbehaviour } = options
    const files = {
      credentials: join(directory, 'service-account.json'),
      ca: join(directory, 'ca.pem'),
      log: join(directory, 'accepted.ndjson'),
    }
    await mkdir(directory, { recursive: true })
    const [{ caCert, cert, key }, account] = await Promise.all([makeCertificates(), makeServiceAccount(project)])
    await writeFile(files.credentials, account.json, { mode: 0o600 })
    await writeFile(files.ca, caCert)
    const tokens = new TokenExchange({ account, lifeSeconds: options.accessTokenSeconds ?? 3600 })
    const faults = new Faults({ table: makeFcmFaults({ project, retryAfterSeconds }), misbehaviour })
    const log = new AcceptedLog<AcceptedFcmPush>({ file: files.log })
    const sends = new SendEndpoint({ project, tokens, faults, log })
    const server = new SimulatorServer({
      cert,
      key,
      // HTTP/1.1 is allowed because Google's libraries use it for the OAuth exchange.
      allowsHttp1: true,
      maxConcurrentStreams: options.maxStreams ?? MAX_CONCURRENT_STREAMS,
      slowMs: options.slowMs ?? 2000,
      handle: (request) => route(request, tokens, sends),
      onTreatment: options.onTreatment,
      isCounted: (path) => path !== '/token',
    })
    await server.listen(options.port ?? 0)
    return new FcmSimulator({ server, tokens, log, files, project })
  }

  /** The value for the options `push_endpoint` and `auth_endpoint` of a client. */
  get origin(): string {
    return this.#parts.server.origin
  }

  /** Every push that was accepted, in order. */
  get accepted(): readonly AcceptedFcmPush[] {
    return this.#parts.log.accepted
  }

  /** The number of requests for an access token, refused ones included. */
  get tokenRequests(): number {
    return this.#parts.tokens.requests
  }

  /** The number of open connections. */
  get connections(): number {
    return this.#parts.server.connections
  }

  /** The most streams that were ever open at once on one connection. */
  get peakStreams(): number {
    return this.#parts.server.peakStreams
  }

  get goawaysSent(): number {
    return this.#parts.server.goawaysSent
  }

  /** Resolves as soon as `count` pushes were accepted since the start. */
  waitForAccepted(count: number): Promise<void> {
    return this.#parts.log.waitFor(count)
  }

  /** Refuses all access tokens that were issued before this call. */
  revokeAccessTokens(): void {
    this.#parts.tokens.revokeAll()
  }

  /**
   * Disables the service account, or enables it again. While it is disabled, its assertions and access tokens are
   * refused.
   */
  setAccountDisabled(isDisabled: boolean): void {
    this.#parts.tokens.setAccountDisabled(isDisabled)
  }

  /** Sends GOAWAY after the `count`th request to send from this call on. The connection processes no later streams. */
  goawayAfter(count: number): void {
    this.#parts.server.goawayAfter(count)
  }

  /** Breaks all connections and frees the port. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopped ??= this.#parts.server.stop().then(() => this.#parts.log.close())
    return this.#stopped
  }
}

async function route(request: SimulatedRequest, tokens: TokenExchange, sends: SendEndpoint): Promise<Reaction> {
  const { method, path, headers } = request
  const body = request.body.toString()
  if (path === '/token' && method === 'POST') return { answer: await tokens.exchange(body) }
  const project = /^\/v1\/projects\/([^/]+)\/messages:send$/.exec(path)?.[1]
  if (project === undefined || method !== 'POST') return { answer: googleError(404, 'NOT_FOUND', 'no such method') }
  return sends.handle(project, headers, body)
}
