// An HTTP/1.1 client that costs the machine as little as possible: each connection has one request at a time, and an
// answer is read without an object for its headers.
import { connect, type Socket } from 'node:net'

/** Takes the status and the body of an answer; status 0: the connection failed. */
export type OnAnswer = (status: number, body: string) => void

interface Request {
  text: string
  onAnswer: OnAnswer
}

/** The connections to a server of 127.0.0.1. */
export class HttpConnections {
  readonly #port: number
  readonly #maxConnections: number
  readonly #headers: string
  readonly #idle: Connection[] = []
  readonly #all = new Set<Connection>()
  /** Requests without a connection, the oldest first. */
  readonly #waiting: Request[] = []

  /** @param headers of each request, each with its line end */
  constructor(port: number, maxConnections: number, headers: string) {
    this.#port = port
    this.#maxConnections = maxConnections
    this.#headers = `Host: 127.0.0.1\r\nContent-Type: application/json\r\n${headers}`
  }

  /** Sends a request as soon as a connection is free. */
  post(path: string, body: string, onAnswer: OnAnswer): void {
    const length = Buffer.byteLength(body)
    const text = `POST ${path} HTTP/1.1\r\n${this.#headers}Content-Length: ${length}\r\n\r\n${body}`
    const request = { text, onAnswer }
    const connection = this.#idle.pop() ?? this.#open()
    if (connection) connection.send(request)
    else this.#waiting.push(request)
  }

  /** Closes all connections. Requests in flight are answered with status 0. */
  close(): void {
    for (const { onAnswer } of this.#waiting.splice(0)) onAnswer(0, '')
    for (const connection of this.#all) connection.close()
  }

  #open(): Connection | undefined {
    if (this.#all.size >= this.#maxConnections) return undefined
    const connection = new Connection(
      this.#port,
      () => {
        const next = this.#waiting.shift()
        if (next) connection.send(next)
        else this.#idle.push(connection)
      },
      () => {
        this.#all.delete(connection)
        const at = this.#idle.indexOf(connection)
        if (at >= 0) this.#idle.splice(at, 1)
        const next = this.#waiting.shift()
        if (next) this.#open()?.send(next)
      },
    )
    this.#all.add(connection)
    return connection
  }
}

class Connection {
  readonly #socket: Socket
  readonly #onFree: () => void
  #current: Request | undefined
  #received = ''

  constructor(port: number, onFree: () => void, onClosed: () => void) {
    this.#onFree = onFree
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.setEncoding('latin1').on('data', (text: string) => this.#onData(text))
    // The event 'close' follows.
    this.#socket.on('error', () => undefined)
    this.#socket.once('close', () => {
      onClosed()
      this.#answer(0, '')
    })
  }

  send(request: Request): void {
    this.#current = request
    this.#socket.write(request.text)
  }

  close(): void {
    this.#socket.destroy()
  }

  #onData(text: string): void {
    this.#received += text
    const headEnd = this.#received.indexOf('\r\n\r\n')
    if (headEnd < 0) return
    const head = this.#received.slice(0, headEnd)
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? Number.NaN)
    // Answers without a length are not supported; the call counts as failed.
    if (Number.isNaN(length)) return this.close()
    const end = headEnd + 4 + length
    if (this.#received.length < end) return
    const body = this.#received.slice(headEnd + 4, end)
    this.#received = ''
    this.#answer(Number(head.slice(9, 12)), body)
    if (/\r\nconnection: *close/i.test(head)) this.close()
    else this.#onFree()
  }

  #answer(status: number, body: string): void {
    const current = this.#current
    this.#current = undefined
    current?.onAnswer(status, body)
  }
}
