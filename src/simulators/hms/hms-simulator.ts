// A simulator of Huawei Push Kit and of Huawei's OAuth endpoint, both on one TLS port. It makes the checks that Huawei
// documents, fails on demand (hms-faults.ts), and records accepted pushes (../accepted-log.ts).
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AcceptedLog } from '../accepted-log.ts'
import { jsonAnswer } from '../answer.ts'
import { makeCertificates } from '../certificates.ts'
import { Faults, type Misbehaviour } from '../faults.ts'
import type { Reaction, SimulatedRequest, Treatment } from '../simulated-request.ts'
import { SimulatorServer } from '../simulator-server.ts'
import { SimulatedAccessTokens } from './access-tokens.ts'
import { makeHmsFaults } from './hms-faults.ts'
import { type AcceptedHmsPush, SendEndpoint } from './send-endpoint.ts'

const OAUTH_PATH = '/oauth2/v3/token'
const MAX_CONCURRENT_STREAMS = 100

export interface HmsSimulatorOptions {
  /** The directory for the certificate authority and the log. It is created if it does not exist. */
  directory: string
  /** The port on 127.0.0.1; 0, the default, means any free port. */
  port?: number
  /** How long an access token is valid, an hour unless given. */
  accessTokenSeconds?: number
  /** The delay of answers to `slow-` targets, in ms. */
  slowMs?: number
  /** The header Retry-After of answers to `traffic-` targets. */
  retryAfterSeconds?: number
  /** Random faults, at most one per request, in addition to those that targets request. */
  misbehaviour?: Misbehaviour
  /** Called for each request to send that passed the checks; `treatment` says how the simulator treated it. */
  onTreatment?: (treatment: Treatment) => void
}

interface Parts {
  server: SimulatorServer
  tokens: SimulatedAccessTokens
  sends: SendEndpoint
  log: AcceptedLog<AcceptedHmsPush>
  app: { id: string; secret: string }
  files: { ca: string; log: string }
}

/** A running HMS simulator. */
export class HmsSimulator {
  /** Paths of the certificate of the authority, and of the log of accepted pushes. */
  readonly files: { ca: string; log: string }
  /** The id and secret of the app that the simulator accepts. */
  readonly app: { id: string; secret: string }
  readonly #parts: Parts
  #stopped: Promise<void> | undefined

  private constructor(parts: Parts) {
    this.files = parts.files
    this.app = parts.app
    this.#parts = parts
  }

  /** Makes certificates and an app, and listens on 127.0.0.1. */
  static async start(options: HmsSimulatorOptions): Promise<HmsSimulator> {
    const { directory, slowMs = 2000, retryAfterSeconds = 2, misbehaviour } = options
    const files = { ca: join(directory, 'ca.pem'), log: join(directory, 'accepted.ndjson') }
    await mkdir(directory, { recursive: true })
    const { caCert, cert, key } = await makeCertificates()
    await writeFile(files.ca, caCert)
    const app = { id: '100000001', secret: randomBytes(32).toString('hex') }
    const tokens = new SimulatedAccessTokens({ app, lifeSeconds: options.accessTokenSeconds ?? 3600 })
    const log = new AcceptedLog<AcceptedHmsPush>({ file: files.log })
    const table = makeHmsFaults(retryAfterSeconds)
    // There are two objects: `faults` is asked for each token of a request, and `chance` once if no token requests a
    // fault. So a request gets at most one random fault.
    const faults = new Faults({ table, misbehaviour: misbehaviour && { ...misbehaviour, share: 0 } })
    const sends = new SendEndpoint({ appId: app.id, tokens, faults, chance: new Faults({ table, misbehaviour }), log })
    const server = new SimulatorServer({
      cert,
      key,
      // HTTP/1.1 is allowed because clients use it for the OAuth endpoint.
      allowsHttp1: true,
      maxConcurrentStreams: MAX_CONCURRENT_STREAMS,
      slowMs,
      handle: (request) => route(request, tokens, sends),
      onTreatment: options.onTreatment,
      isCounted: (path) => path !== OAUTH_PATH,
    })
    await server.listen(options.port ?? 0)
    return new HmsSimulator({ server, tokens, sends, log, app, files })
  }

  /** The value for the option `push_endpoint` of a client. */
  get origin(): string {
    return this.#parts.server.origin
  }

  /** The value for the option `auth_endpoint` of a client. */
  get authEndpoint(): string {
    return `${this.origin}${OAUTH_PATH}`
  }

  /** Every push that was accepted, in order. A request for several tokens is a push for each of them. */
  get accepted(): readonly AcceptedHmsPush[] {
    return this.#parts.log.accepted
  }

  /** The number of requests to send, refused ones included. */
  get sendRequests(): number {
    return this.#parts.sends.requests
  }

  /** The number of requests for an access token, refused ones included. */
  get tokenRequests(): number {
    return this.#parts.tokens.requests
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

  /** Disables the app, or enables it again. While it is disabled, its secret and its tokens are refused. */
  setAppDisabled(isDisabled: boolean): void {
    this.#parts.tokens.setAppDisabled(isDisabled)
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

function route(request: SimulatedRequest, tokens: SimulatedAccessTokens, sends: SendEndpoint): Reaction {
  const { method, path, body } = request
  if (method === 'POST' && path === OAUTH_PATH) return { answer: tokens.exchange(body.toString()) }
  const appId = /^\/v1\/([^/]+)\/messages:send$/.exec(path)?.[1]
  if (method === 'POST' && appId !== undefined) return sends.handle(appId, request)
  return { answer: jsonAnswer(404, { error: 'no such method' }) }
}
