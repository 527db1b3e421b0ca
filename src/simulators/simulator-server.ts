// TLS and HTTP/2 for all simulators: reads requests, sends the answers of the simulator's handler, and breaks streams
// and connections on demand.
//
// Before a connection is broken, it is drained: no more answers are written, and the client reads all previous ones
// (Connection.drain). So the server knows for each answer whether the client has received it. Tests need that to decide
// whether a push that arrived twice had to be sent again.
import { once } from 'node:events'
import {
  constants,
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Answer } from './answer.ts'
import { Connection, NO_CONNECTION } from './connection.ts'
import type { WireFault } from './faults.ts'
import { Relay } from './relay.ts'
import type { Reaction, SimulatedRequest, Treatment } from './simulated-request.ts'

/**
 * The memory that Node allows for one session, in MB. With less, Node refuses the other streams of a connection during
 * an answer of 10 MB.
 */
const MAX_SESSION_MB = 1000

/** The handler and the options of a simulator's server. */
export interface SimulatorServerDeps {
  cert: string
  key: string
  /** Serves HTTP/1.1 too; the client chooses by ALPN. */
  allowsHttp1?: boolean
  /** Asks clients for a certificate and accepts any of them: the handler checks it. */
  asksForCertificate?: boolean
  /** The limit of open streams of a new connection. */
  maxConcurrentStreams: number
  /** The delay of an answer with the fault `slow`, in ms. */
  slowMs: number
  /** Handles a request, once its body is read. Called in the order of the streams of a connection. */
  handle(request: SimulatedRequest): Reaction | Promise<Reaction>
  /** Whether requests with this path count for `goawayAfter`; all requests count unless given. */
  isCounted?(path: string): boolean
  /**
   * Called for each request with targets, in the order in which they were handled; `treatment` says how it was treated.
   */
  onTreatment?: ((treatment: Treatment) => void) | undefined
}

/** The HTTP/2 server of a simulator, on 127.0.0.1. */
export class SimulatorServer {
  readonly #deps: SimulatorServerDeps
  readonly #server: Http2SecureServer
  readonly #connections = new Map<object, Connection>()
  /** The open TCP connections. */
  readonly #sockets = new Set<Socket>()
  #relay: Relay | undefined
  #stopped: Promise<void> | undefined
  #goawayAt = 0
  #counted = 0
  /** The most streams that were ever open at once on one connection. */
  peakStreams = 0
  goawaysSent = 0
  connectionsOpened = 0
  /** The number of requests that the handler got. */
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

  /** Listens on 127.0.0.1. Port 0 means any free port. Rejects if the port is in use. */
  async listen(port: number): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    const address = this.#server.address()
    this.#relay = new Relay({ targetPort: typeof address === 'object' && address ? address.port : 0 })
    await this.#relay.listen(port)
  }

  /** The origin of the server: `https://127.0.0.1:<port>`. */
  get origin(): string {
    return `https://127.0.0.1:${this.#relay?.port ?? 0}`
  }

  /** The number of open connections. */
  get connections(): number {
    return this.#connections.size
  }

  /** Sends GOAWAY after the `count`th counted request from this call on. The connection processes no later streams. */
  goawayAfter(count: number): void {
    this.#goawayAt = this.#counted + count
  }

  /** Breaks all connections and frees the port. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const { session } of this.#connections.values()) session.destroy()
    await this.#relay?.close()
    // A socket may stay open if its session ended with unsent answers, and the server would not close then.
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
    // Errors are expected, because connections are cut on purpose. The event 'close' follows.
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
    // A request over HTTP/1.1 has no stream, in spite of the type. It gets no faults of connections.
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
    if (answer && isToBeAnswered && !connection?.isDraining) write(response, answer, onAnswered)
  }

  /** Reports how a request was treated. @returns the function to call when the answer is written */
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

  /** Produces a fault of the stream or connection. Resolves to whether the request is answered in spite of it. */
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
        await on?.drain()
        this.#relay?.cut(on?.remotePort)
        return false
      case 'stall':
        await on?.drain()
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
  // The stream may have ended already: the client's deadline passed, or the connection was cut.
  if (response.destroyed || response.writableEnded) return
  onWritten()
  response.writeHead(answer.status, answer.headers)
  response.end(answer.body)
}
