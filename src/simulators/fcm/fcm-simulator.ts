// A stand-in for FCM HTTP v1 and for Google's OAuth endpoint on one TLS port. It checks what Google checks, fails on
// demand (fcm-faults.ts), and keeps what it accepted (../accepted-log.ts).
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AcceptedLog } from '../accepted-log.ts'
import { makeCertificates } from '../certificates.ts'
import { Faults, type Misbehaviour } from '../faults.ts'
import { type Reaction, type SimulatedRequest, SimulatorServer, type Treatment } from '../simulator-server.ts'
import { makeFcmFaults } from './fcm-faults.ts'
import { googleError } from './google-error.ts'
import { type AcceptedFcmPush, SendEndpoint } from './send-endpoint.ts'
import { makeServiceAccount } from './service-account.ts'
import { TokenExchange } from './token-exchange.ts'

/** What FCM allows on one connection. */
const MAX_CONCURRENT_STREAMS = 100

export interface FcmSimulatorOptions {
  /** Where credentials, authority and log are written; made if it isn't there. */
  directory: string
  /** 0, the default, takes a free one. */
  port?: number
  project?: string
  accessTokenSeconds?: number
  /** Streams that one connection may have open: 100, as FCM has it, unless given. */
  maxStreams?: number
  /** How late `slow-` targets are answered. */
  slowMs?: number
  /** What `quota-` targets are told. */
  retryAfterSeconds?: number
  /** Faults by chance, besides those that targets ask for. */
  misbehaviour?: Misbehaviour
  /** Told of each request to send that got past the checks. */
  onTreatment?: (treatment: Treatment) => void
}

/** The files a client needs, and where the log is. */
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
      // For the OAuth exchange: Google's libraries speak it there, and Google's servers answer it.
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

  /** For both `push_endpoint` and `auth_endpoint`. */
  get origin(): string {
    return this.#parts.server.origin
  }

  /** Every push that was accepted, in order. */
  get accepted(): readonly AcceptedFcmPush[] {
    return this.#parts.log.accepted
  }

  /** OAuth exchanges asked for. */
  get tokenRequests(): number {
    return this.#parts.tokens.requests
  }

  get connections(): number {
    return this.#parts.server.connections
  }

  /** The most streams that one connection ever had open. */
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

  revokeAccessTokens(): void {
    this.#parts.tokens.revokeAll()
  }

  /** As an owner of the project does with the service account: refuses it and its tokens, until it is enabled again. */
  setAccountDisabled(isDisabled: boolean): void {
    this.#parts.tokens.setAccountDisabled(isDisabled)
  }

  /** The `count`th send from now on is the last one its connection processes: GOAWAY follows, the rest is left. */
  goawayAfter(count: number): void {
    this.#parts.server.goawayAfter(count)
  }

  /** Cuts all connections and frees the port. Safe to call twice. */
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
