// A stand-in for FCM HTTP v1 and for Google's OAuth endpoint on one TLS port. It checks what Google checks, fails on
// demand (faults.ts), and keeps what it accepted (accepted-log.ts).
import { mkdir, writeFile } from 'node:fs/promises'
import {
  constants,
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2'
import { join } from 'node:path'
import { makeCertificates } from '../certificates.ts'
import { AcceptedLog, type AcceptedPush } from './accepted-log.ts'
import { Faults } from './faults.ts'
import { type Answer, googleError } from './google-error.ts'
import { SendEndpoint } from './send-endpoint.ts'
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
  /** How late `slow-` targets are answered. */
  slowMs?: number
  /** What `quota-` targets are told. */
  retryAfterSeconds?: number
}

/** The files a client needs, and where the log is. */
export interface SimulatorFiles {
  credentials: string
  ca: string
  log: string
}

interface Parts {
  server: Http2SecureServer
  tokens: TokenExchange
  sends: SendEndpoint
  log: AcceptedLog
  files: SimulatorFiles
  project: string
}

export class FcmSimulator {
  readonly files: SimulatorFiles
  readonly project: string
  readonly #parts: Parts
  readonly #sessions = new Set<ServerHttp2Session>()
  /** Streams above this id are left unprocessed, as a GOAWAY promises. */
  readonly #lastStreamIds = new WeakMap<object, number>()
  #stopped: Promise<void> | undefined
  #goawayAt = 0
  #sends = 0
  /** The most streams that one connection ever had open. */
  peakStreams = 0
  goawaysSent = 0

  private constructor(parts: Parts) {
    this.files = parts.files
    this.project = parts.project
    this.#parts = parts
    parts.server.on('session', (session) => {
      this.#sessions.add(session)
      session.once('close', () => this.#sessions.delete(session))
      this.#countStreams(session)
    })
    parts.server.on('request', (request, response) => {
      this.#handle(request, response).catch(() => response.destroy())
    })
  }

  /** Makes certificates and a service account, writes them, and listens on 127.0.0.1. */
  static async start(options: FcmSimulatorOptions): Promise<FcmSimulator> {
    const { directory, project = 'simulated-project', retryAfterSeconds = 2 } = options
    const files = {
      credentials: join(directory, 'service-account.json'),
      ca: join(directory, 'ca.pem'),
      log: join(directory, 'accepted.ndjson'),
    }
    await mkdir(directory, { recursive: true })
    const [{ caCert, cert, key }, account] = await Promise.all([makeCertificates(), makeServiceAccount(project)])
    await writeFile(files.credentials, account.json, { mode: 0o600 })
    await writeFile(files.ca, caCert)
    // HTTP/1.1 is for the OAuth exchange: Google's libraries speak it there, and Google's servers answer it.
    const settings = { maxConcurrentStreams: MAX_CONCURRENT_STREAMS }
    const server = createSecureServer({ cert, key, allowHTTP1: true, settings })
    const tokens = new TokenExchange({ account, lifeSeconds: options.accessTokenSeconds ?? 3600 })
    const faults = new Faults({ project, retryAfterSeconds })
    const log = new AcceptedLog({ file: files.log })
    const sends = new SendEndpoint({ project, tokens, faults, log, slowMs: options.slowMs ?? 2000 })
    const simulator = new FcmSimulator({ server, tokens, sends, log, files, project })
    await listen(server, options.port ?? 0)
    return simulator
  }

  /** For both `push_endpoint` and `auth_endpoint`. */
  get origin(): string {
    const address = this.#parts.server.address()
    // An object for every server that listens on a port.
    return typeof address === 'object' && address ? `https://127.0.0.1:${address.port}` : ''
  }

  /** Every push that was accepted, in order. */
  get accepted(): readonly AcceptedPush[] {
    return this.#parts.log.accepted
  }

  /** OAuth exchanges asked for. */
  get tokenRequests(): number {
    return this.#parts.tokens.requests
  }

  get connections(): number {
    return this.#sessions.size
  }

  /** Resolves as soon as `count` pushes were accepted since the start. */
  waitForAccepted(count: number): Promise<void> {
    return this.#parts.log.waitFor(count)
  }

  revokeAccessTokens(): void {
    this.#parts.tokens.revokeAll()
  }

  /** The `count`th send from now on is the last one its connection processes: GOAWAY follows, the rest is left. */
  goawayAfter(count: number): void {
    this.#goawayAt = this.#sends + count
  }

  /** Cuts all connections and frees the port. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#parts.server.close(resolve))
    for (const session of this.#sessions) session.destroy()
    await closed
    this.#parts.log.close()
  }

  async #handle(request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
    if (this.#isLeftBehind(request)) return
    const body = await readBody(request)
    if (request.url === '/token' && request.method === 'POST') {
      write(response, await this.#parts.tokens.exchange(body))
      return
    }
    const project = /^\/v1\/projects\/([^/]+)\/messages:send$/.exec(request.url)?.[1]
    if (project === undefined || request.method !== 'POST') {
      write(response, googleError(404, 'NOT_FOUND', 'no such method'))
      return
    }
    const answer = await this.#parts.sends.handle(project, request.headers, body)
    if (answer === 'reset') response.stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    else if (answer !== 'hang') write(response, answer)
  }

  #countStreams(session: ServerHttp2Session): void {
    let open = 0
    session.on('stream', (stream) => {
      open++
      this.peakStreams = Math.max(this.peakStreams, open)
      stream.once('close', () => open--)
    })
  }

  #isLeftBehind(request: Http2ServerRequest): boolean {
    const session = request.stream?.session
    if (!session) return false
    const last = this.#lastStreamIds.get(session)
    const id = request.stream.id ?? 0
    if (last !== undefined) return id > last
    if (request.url !== '/token' && ++this.#sends === this.#goawayAt) {
      this.#lastStreamIds.set(session, id)
      this.goawaysSent++
      session.goaway(constants.NGHTTP2_NO_ERROR, id)
    }
    return false
  }
}

function listen(server: Http2SecureServer, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
}

async function readBody(request: Http2ServerRequest): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}

function write(response: Http2ServerResponse, answer: Answer): void {
  // The client may be gone by now: its deadline, or a cut connection.
  if (response.destroyed || response.writableEnded) return
  response.writeHead(answer.status, answer.headers)
  response.end(answer.body)
}
