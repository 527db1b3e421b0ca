// TLS and HTTP/2 for all simulators: reads requests, has them answered, and breaks streams and connections on demand.
//
// A connection that is to break falls silent first, and breaks when the client has read all that was said before
// (Connection.fallSilent). So it is known of each answer whether the client has it: else nobody could say whether a push
// that came twice had to.
import { once } from 'node:events'
import {
  constants,
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
} from 'node:http2'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Answer } from './answer.ts'
import { Connection, NO_CONNECTION, type SimulatedConnection } from './connection.ts'
import type { WireFault } from './faults.ts'
import { Relay } from './relay.ts'

/** Answers of 10 MB would make Node refuse the other streams of their connection. */
const MAX_SESSION_MB = 1000

export interface SimulatedRequest {
  method: string
  /** With the query. */
  path: string
  headers: IncomingHttpHeaders
  body: Buffer
  connection: SimulatedConnection
}

/** What comes of a request: a fault without an answer gets none. */
export interface Reaction {
  answer?: Answer
  wire?: WireFault | undefined
  /** Whom a request to send is about; empty unless given. */
  targets?: readonly string[]
  /** Those of them that got the push. */
  accepted?: readonly string[]
}

/** A request to send, and what became of it. */
export interface Treatment {
  readonly targets: readonly string[]
  readonly accepted: readonly string[]
  readonly answer: Answer | undefined
  /** Whether the client has the answer. Known when the request's stream has ended; false until then. */
  readonly isAnswered: boolean
}

export interface SimulatorServerDeps {
  cert: string
  key: string
  /** HTTP/1.1 too, by ALPN. */
  allowsHttp1?: boolean
  /** Asks clients for a certificate and takes any: the handler looks at it. */
  asksForCertificate?: boolean
  /** Of a new connection. */
  maxConcurrentStreams: number
  /** How late a `slow` answer is. */
  slowMs: number
  /** Called in the order of the streams of a connection, as soon as a request's body is there. */
  handle(request: SimulatedRequest): Reaction | Promise<Reaction>
  /** The requests that `goawayAfter` counts; all unless given. */
  isCounted?(path: string): boolean
  /** Called for each request that is about targets, in the order in which they were looked at. */
  onTreatment?: ((treatment: Treatment) => void) | undefined
}

export class SimulatorServer {
  readonly #deps: SimulatorServerDeps
  readonly #server: Http2SecureServer
  readonly #connections = new Map<object, Connection>()
  /** Below TLS. */
  readonly #sockets = new Set<Socket>()
  #relay: Relay | undefined
  #stopped: Promise<void> | undefined
  #goawayAt = 0
  #counted = 0
  /** The most streams that one connection ever had open. */
  peakStreams = 0
  goawaysSent = 0
  connectionsOpened = 0
  /** Handed to the handler. */
  requests = 0

  constructor(deps: SimulatorServerDeps) {
    this.#deps = deps
    const { cert, key, allowsHttp1 = false, asksForCertificate = false, maxConcurrentStreams } = deps
    this.#server = createSecureServer({
      cert,
      key,
      allowHTTP1: allowsHttp1,
      requestCert: asksForCertificate,
      rejectUnauthorized: false,
      maxSessionMemory: MAX_SESSION_MB,
      settings: { maxConcurrentStreams },
    })
    this.#server.on('connection', (socket) => this.#onConnection(socket))
    this.#server.on('session', (session) => this.#onSession(session))
    this.#server.on('request', (request, response) => {
      this.#serve(request, response).catch(() => response.destroy())
    })
  }

  /** Listens on 127.0.0.1; 0 takes a free port. */
  async listen(port: number): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    const address = this.#server.address()
    this.#relay = new Relay({ targetPort: typeof address === 'object' && address ? address.port : 0 })
    await this.#relay.listen(port)
  }

  /** `https://127.0.0.1:<port>`. */
  get origin(): string {
    return `https://127.0.0.1:${this.#relay?.port ?? 0}`
  }

  get connections(): number {
    return this.#connections.size
  }

  /** The `count`th counted request from now on is the last one its connection processes: GOAWAY follows, the rest is left. */
  goawayAfter(count: number): void {
    this.#goawayAt = this.#counted + count
  }

  /** Cuts all connections and frees the port. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const { session } of this.#connections.values()) session.destroy()
    await this.#relay?.close()
    // A socket whose session ended with unsent answers may stay open, and the server with it.
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #onConnection(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  #onSession(session: ServerHttp2Session): void {
    this.connectionsOpened++
    const connection = new Connection(session, this.#deps.maxConcurrentStreams)
    this.#connections.set(session, connection)
    session.once('close', () => this.#connections.delete(session))
    // A cut connection is what this is for; 'close' follows.
    session.on('error', () => undefined)
    let open = 0
    session.on('stream', (stream) => {
      open++
      this.peakStreams = Math.max(this.peakStreams, open)
      stream.once('close', () => open--)
      stream.on('error', () => undefined)
    })
  }

  async #serve(request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
    const body = await readBody(request)
    // HTTP/1.1 has no streams, whatever the types say: it is served without the faults of a connection.
    const session = request.stream?.session
    const connection = session && this.#connections.get(session)
    const streamId = request.stream?.id ?? 0
    if (connection && !connection.process(streamId)) return
    this.requests++
    const { url: path, method, headers } = request
    const isLast = this.#deps.isCounted?.(path) !== false && ++this.#counted === this.#goawayAt
    const reacting = this.#deps.handle({ method, path, headers, body, connection: connection ?? NO_CONNECTION })
    if (isLast) this.#goaway(connection)
    const reaction = await reacting
    const { answer, wire } = reaction
    const onAnswered = this.#noteTreatment(reaction, response, connection)
    const isToBeAnswered = wire === undefined || (await this.#misbehave(wire, response, connection))
    if (answer && isToBeAnswered && !connection?.isSilent) write(response, answer, onAnswered)
  }

  /** @returns what is to be called when the answer is written */
  #noteTreatment(reaction: Reaction, response: Http2ServerResponse, connection: Connection | undefined): () => void {
    const { answer, targets = [], accepted = [] } = reaction
    if (targets.length === 0) return () => undefined
    const treatment = { targets, accepted, answer, isAnswered: false }
    this.#deps.onTreatment?.(treatment)
    return () => {
      connection?.onAnswer(1)
      response.once('close', () => {
        treatment.isAnswered = !connection?.isBroken
        connection?.onAnswer(-1)
      })
    }
  }

  /** Whether the request is to be answered all the same. */
  async #misbehave(wire: WireFault, response: Http2ServerResponse, on: Connection | undefined): Promise<boolean> {
    switch (wire) {
      case 'slow':
        await delay(this.#deps.slowMs, undefined, { ref: false })
        return true
      case 'squeeze':
        on?.squeeze()
        return true
      case 'goaway':
        this.#goaway(on)
        return true
      case 'hang':
        return false
      case 'reset':
        response.stream.close(constants.NGHTTP2_INTERNAL_ERROR)
        return false
      case 'refuse':
        response.stream.close(constants.NGHTTP2_REFUSED_STREAM)
        return false
      case 'cut':
        await on?.fallSilent()
        this.#relay?.cut(on?.remotePort)
        return false
      case 'stall':
        await on?.fallSilent()
        this.#relay?.stall(on?.remotePort)
        return false
    }
  }

  #goaway(connection: Connection | undefined): void {
    if (!connection) return
    this.goawaysSent++
    connection.goaway()
  }
}

async function readBody(request: Http2ServerRequest): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

function write(response: Http2ServerResponse, answer: Answer, onWritten: () => void): void {
  // The client may be gone by now: its deadline, or a cut connection.
  if (response.destroyed || response.writableEnded) return
  onWritten()
  response.writeHead(answer.status, answer.headers)
  response.end(answer.body)
}
