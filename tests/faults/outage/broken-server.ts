// A provider that does not work: it reads requests over HTTP/2 and answers none of them well.
import { randomBytes } from 'node:crypto'
import { data, FLAGS, frame, headers, TYPE, uint32, windowUpdate } from '../../support/http2-frames.ts'
import { Http2Peer, type PeerConnection } from '../../support/http2-peer.ts'

/** More frames than a client may accept without an answer. */
const FLOOD_FRAMES = 6000
const MAX_STREAMS = 100
const SETTING_MAX_STREAMS = 3
/** So much that the bodies of all requests fit. */
const WINDOW_BYTES = 2 ** 30
/** `:status` by its index in the static table (RFC 7541 appendix A), with a literal value. */
const status = (code: number) => Buffer.concat([Buffer.from([8, 3]), Buffer.from(String(code))])
const repeat = (one: Buffer) => Buffer.concat(new Array(FLOOD_FRAMES).fill(one))

const ANSWERS = {
  silence: () => Buffer.alloc(0),
  garbage: () => randomBytes(1000),
  html: (id: number) => Buffer.concat([headers(id), data(id, '<html>')]),
  unavailable: (id: number) =>
    Buffer.concat([headers(id, status(503)), data(id, '{"error":{"status":"UNAVAILABLE"}}')]),
  'push-promise': (id: number) =>
    frame(TYPE.push, FLAGS.endHeaders, id, Buffer.concat([uint32(2), Buffer.from([0x82])])),
  informational: (id: number) => repeat(headers(id, status(103))),
  continuation: (id: number) =>
    Buffer.concat([frame(TYPE.headers, 0, id, status(200)), repeat(frame(TYPE.continuation, 0, id))]),
}

/** The way in which the server does not work. */
export type Breakage = keyof typeof ANSWERS

/** A request that the server read. */
export interface BrokenRequest {
  token: string
  /** Unix time in ms. */
  atMs: number
}

/** The server. Its port and certificate are those of an `Http2Peer`. */
export class BrokenServer {
  readonly peer: Http2Peer
  /** Every request in order. Each may have been accepted, because its sender can't know. */
  readonly requests: BrokenRequest[]

  private constructor(deps: { peer: Http2Peer; requests: BrokenRequest[] }) {
    this.peer = deps.peer
    this.requests = deps.requests
  }

  /** Listens on a free port of the loopback interface. */
  static async start(breakage: Breakage): Promise<BrokenServer> {
    const requests: BrokenRequest[] = []
    const peer = await Http2Peer.start({
      onConnection: (connection) => void readRequests(connection, ANSWERS[breakage], requests),
    })
    return new BrokenServer({ peer, requests })
  }

  /** The port of the server. */
  get port(): number {
    return Number(new URL(this.peer.origin).port)
  }

  /** Closes all connections. */
  stop(): Promise<void> {
    return this.peer.stop()
  }
}

async function readRequests(
  connection: PeerConnection,
  answer: (streamId: number) => Buffer,
  requests: BrokenRequest[],
): Promise<void> {
  connection.greet([SETTING_MAX_STREAMS, MAX_STREAMS])
  connection.send(windowUpdate(0, WINDOW_BYTES))
  for (;;) {
    const body = await connection.nextOf(TYPE.data)
    if (!body) return
    const [, token = ''] = /"token":"([^"]*)"/.exec(body.payload.toString()) ?? []
    requests.push({ token, atMs: Date.now() })
    const bytes = answer(body.streamId)
    if (bytes.length > 0 && !connection.socket.destroyed) connection.send(bytes)
  }
}
