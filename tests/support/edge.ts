// The edge: server/ and upstream/ without the rest of centripush, in front of a node whose answers the test writes.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { Logger } from 'pino'
import { type Method, pushMethod, upstreamMethod } from '../../src/methods/method.ts'
import type { MethodTable } from '../../src/methods/table.ts'
import * as push from '../../src/protocol/requests/push.ts'
import { upstreamRequests } from '../../src/protocol/requests/upstream.ts'
import { answerText, answerTooLarge } from '../../src/server/answer.ts'
import { makeKeyCheck } from '../../src/server/api-key.ts'
import { BodyBudget } from '../../src/server/body-budget.ts'
import { OverloadLimits } from '../../src/server/overload-limit.ts'
import { type PortOptions, startServer } from '../../src/server/start-server.ts'
import { BodyTooLargeError } from '../../src/upstream/request-body.ts'
import { Upstream } from '../../src/upstream/upstream.ts'
import type { UpstreamOptions } from '../../src/upstream/upstream-options.ts'
import { makeTestLogger, noteSecrets } from './run-log.ts'

/** API key of the clients. */
export const EDGE_KEY = 'key-of-the-clients'
/** API key of the node. */
export const NODE_KEY = 'key-of-the-node'

/** The push methods of a test. */
export type Handlers = Partial<Record<'device_register' | 'cancel_push', (request: object) => Promise<object>>>

/** Three upstream methods, one of them of Centrifugo PRO, and two push methods. */
export function makeEdgeMethods(handlers: Handlers = {}): MethodTable {
  const nothing = async () => ({})
  const methods: Method[] = [
    upstreamMethod('publish', 0, upstreamRequests.publish),
    upstreamMethod('history', 6, upstreamRequests.history),
    upstreamMethod('connections', 14, upstreamRequests.connections),
    pushMethod('device_register', 22, push.DeviceRegisterRequest, handlers.device_register ?? nothing),
    pushMethod('cancel_push', 32, push.CancelPushRequest, handlers.cancel_push ?? nothing),
  ]
  return {
    byName: new Map(methods.map((method) => [method.name, method])),
    byNumber: new Map(methods.map((method) => [method.number, method])),
  }
}

/** Options of the edge; each has a default. */
export interface EdgeOptions {
  handlers?: Handlers
  /** Base URL of the node. No upstream unless given. */
  node?: string
  upstream?: Partial<UpstreamOptions>
  maxRequestBytes?: number
  maxBodiesBytes?: number
  inTurn?: (handle: () => Promise<void>) => Promise<void>
  transportErrors?: boolean
  errorDetails?: boolean
  key?: string
  /** A free one unless given. */
  port?: number
  isReady?: () => boolean
  tls?: PortOptions['tls']
  logger?: Logger
}

/** A running edge. */
export interface Edge {
  url: string
  /** Disconnects clients at once unless `spreadMs` is given. */
  stop(graceMs?: number, spreadMs?: number): Promise<void>
}

/** Starts the edge on one port. */
export async function startEdge(options: EdgeOptions = {}): Promise<Edge> {
  noteSecrets([EDGE_KEY, NODE_KEY])
  const logger = options.logger ?? makeTestLogger()
  const maxRequestBytes = options.maxRequestBytes ?? 1024 * 1024
  const upstream = options.node === undefined ? undefined : makeUpstream(options.node, maxRequestBytes, options, logger)
  const deps = {
    methods: makeEdgeMethods(options.handlers),
    upstream: upstream?.api,
    hasKey: makeKeyCheck(options.key ?? EDGE_KEY),
    transportErrors: options.transportErrors ?? false,
    errorDetails: options.errorDetails ?? false,
    maxRequestBytes,
    bodies: new BodyBudget(options.maxBodiesBytes ?? 64 * maxRequestBytes),
    large: undefined,
    overload: new OverloadLimits(() => undefined),
    inTurn: options.inTurn ?? ((handle: () => Promise<void>) => handle()),
    logger,
    callLogger: logger,
  }
  const app = {
    api: { deps, prefix: '/api' },
    metrics: undefined,
    health: { isReady: options.isReady ?? (() => true), describe: () => ({}), prefix: '/health' },
    connections: upstream?.clients,
    admin: undefined,
    nodeAdmin: upstream?.clients,
  }
  const server = await startServer([{ address: '127.0.0.1', port: options.port ?? 0, tls: options.tls, app }])
  const stop = async (graceMs = 0, spreadMs = 0) => {
    await server.close(graceMs, spreadMs)
    await upstream?.close()
  }
  return { url: server.urls[0] ?? '', stop }
}

function makeUpstream(address: string, maxRequestBytes: number, { upstream }: EdgeOptions, logger: Logger): Upstream {
  return new Upstream({
    options: {
      address,
      apiKey: NODE_KEY,
      timeoutMs: 5000,
      connectTimeoutMs: 1000,
      maxConnections: 8,
      ca: undefined,
      transportErrors: false,
      maxRequestBytes,
      paths: { connections: [], sse: ['/connection/sse', '/connection/uni_sse'], admin: undefined },
      trustedProxies: [],
      ...upstream,
    },
    onFailure: (outgoing, error) => {
      if (error instanceof BodyTooLargeError) answerTooLarge(outgoing)
      else answerText(outgoing, 502, 'Bad Gateway')
    },
    logger,
  })
}

/** A request that a node received. */
export interface NodeRequest {
  method: string
  url: string
  headers: IncomingMessage['headers']
  body: string
}

/** A running node. */
export interface TestNode {
  address: string
  port: number
  server: Server
  /** The requests in the order of arrival. */
  requests: NodeRequest[]
  stop(): Promise<void>
}

/** Starts a node that reads each request and calls `answer`. */
export async function startNode(
  answer: (request: NodeRequest, outgoing: ServerResponse) => void,
  port = 0,
): Promise<TestNode> {
  const requests: NodeRequest[] = []
  const node = await startRawNode((incoming, outgoing) => {
    const read = async () => {
      const { method = '', url = '', headers } = incoming
      const request = { method, url, headers, body: (await buffer(incoming)).toString('utf8') }
      requests.push(request)
      answer(request, outgoing)
    }
    // The client closed its connection before the end of the request.
    read().catch(() => outgoing.destroy())
  }, port)
  return { ...node, requests }
}

/** The limit of a node, that of Go's net/http with the room that it adds. */
const MAX_NODE_HEAD_BYTES = 1024 * 1024 + 4096

/** Starts a node whose test reads the requests itself, except those with which a server asks for the node's state. */
export async function startRawNode(
  onRequest: (incoming: IncomingMessage, outgoing: ServerResponse) => void,
  port = 0,
): Promise<Omit<TestNode, 'requests'>> {
  const answer = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    if (incoming.url === '/api/info') answerWith(outgoing, '{"result":{"nodes":[{"version":"6.9.1"}]}}')
    else onRequest(incoming, outgoing)
  }
  return listenAsNode(createServer({ maxHeaderSize: MAX_NODE_HEAD_BYTES }, answer), port)
}

/** Makes a node of a server that does not listen yet. */
export async function listenAsNode(server: Server, port = 0): Promise<Omit<TestNode, 'requests'>> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  // A server that listens on TCP has this type of address.
  const boundPort = typeof bound === 'object' && bound ? bound.port : 0
  const stop = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  return { address: `http://127.0.0.1:${boundPort}`, port: boundPort, server, stop }
}

/** Answers with JSON. */
export function answerWith(outgoing: ServerResponse, body: string, status = 200): void {
  outgoing.writeHead(status, { 'content-type': 'application/json' }).end(body)
}
