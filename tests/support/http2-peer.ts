// An HTTP/2 server over TLS without a protocol: the test reads the client's frames and writes the answers.
import { EventEmitter, once } from 'node:events'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { type Certificates, makeCertificates } from '../../src/simulators/certificates.ts'
import { FLAGS, type Frame, frame, PREFACE, parseFrames, settings, TYPE } from './http2-frames.ts'

/** One connection of a client. */
export class PeerConnection {
  readonly socket: TLSSocket
  /** All frames of the client in order. */
  readonly frames: Frame[] = []
  readonly #changes = new EventEmitter().setMaxListeners(0)
  #bytes = Buffer.alloc(0)
  #hasPreface = false
  #seen = 0
  isClosed = false

  constructor(deps: { socket: TLSSocket }) {
    this.socket = deps.socket
    this.socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    this.socket.on('error', () => undefined)
    this.socket.once('close', () => {
      this.isClosed = true
      this.#changes.emit('change')
    })
  }

  /** Sends frames in one write. */
  send(...frames: Buffer[]): void {
    this.socket.write(Buffer.concat(frames))
  }

  /** Sends SETTINGS and acknowledges the client's. */
  greet(...pairs: [setting: number, value: number][]): void {
    this.send(settings(...pairs), frame(TYPE.settings, FLAGS.ack, 0))
  }

  /** The next frame of this type that the test has not read. Rejects when the connection closes first. */
  async next(type: number): Promise<Frame> {
    const found = await this.nextOf(type)
    if (!found) throw new Error(`connection closed before a frame of type ${type}`)
    return found
  }

  /** As `next`, but undefined when the connection closes first. */
  async nextOf(type: number): Promise<Frame | undefined> {
    for (;;) {
      while (this.#seen < this.frames.length) {
        const candidate = this.frames[this.#seen++]
        if (candidate?.type === type) return candidate
      }
      if (this.isClosed) return undefined
      await once(this.#changes, 'change')
    }
  }

  /** Resolves when the connection is closed. */
  async untilClosed(): Promise<void> {
    while (!this.isClosed) await once(this.#changes, 'change')
  }

  #onData(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    if (!this.#hasPreface) {
      if (this.#bytes.length < PREFACE.length) return
      if (this.#bytes.toString('latin1', 0, PREFACE.length) !== PREFACE)
        throw new Error('no HTTP/2 connection preface received')
      this.#hasPreface = true
      this.#bytes = this.#bytes.subarray(PREFACE.length)
    }
    const { frames, length } = parseFrames(this.#bytes)
    this.frames.push(...frames)
    this.#bytes = this.#bytes.subarray(length)
    this.#changes.emit('change')
  }
}

type OnConnection = (connection: PeerConnection, number: number) => void

/** The server. Listens on a free port of the loopback interface. */
export class Http2Peer {
  readonly origin: string
  readonly ca: string
  readonly connections: PeerConnection[] = []
  readonly #server: Server
  readonly #changes = new EventEmitter()
  #taken = 0

  private constructor(deps: { server: Server; port: number; certificates: Certificates; onConnection?: OnConnection }) {
    this.#server = deps.server
    this.origin = `https://127.0.0.1:${deps.port}`
    this.ca = deps.certificates.caCert
    deps.server.on('secureConnection', (socket) => {
      const connection = new PeerConnection({ socket })
      this.connections.push(connection)
      deps.onConnection?.(connection, this.connections.length)
      this.#changes.emit('change')
    })
    // The client refuses the certificate, or closes during the handshake.
    deps.server.on('tlsClientError', () => undefined)
  }

  /** `onConnection` is called for each new connection, with its number from 1. */
  static async start(options: { certificates?: Certificates; onConnection?: OnConnection } = {}): Promise<Http2Peer> {
    const made = options.certificates ?? (await makeCertificates())
    const server = createServer({ cert: made.cert, key: made.key, ALPNProtocols: ['h2'] })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    return new Http2Peer({ ...options, server, port, certificates: made })
  }

  /** The next connection that the test has not read. */
  async nextConnection(): Promise<PeerConnection> {
    for (;;) {
      const connection = this.connections[this.#taken]
      if (connection) {
        this.#taken++
        return connection
      }
      await once(this.#changes, 'change')
    }
  }

  /** Closes all connections. */
  async stop(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy()
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }
}
