// The edge alone: server and upstream without the rest of centripush, and a node behind it whose answers a test writes.
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
import { type PortOptions, startServer } from '../../src/server/start-server.ts'
import { BodyTooLargeError } from '../../src/upstream/request-body.ts'
import { Upstream } from '../../src/upstream/upstream.ts'
import type { UpstreamOptions } from '../../src/upstream/upstream-options.ts'
import { makeTestLogger, noteSecrets } from './run-log.ts'

export const EDGE_KEY = 'key-of-the-clients'
export const NODE_KEY = 'key-of-the-node'

/** What a push method of a test does with its request. */
export type Handlers = Partial<Record<'device_register' | 'cancel_push', (request: object) => Promise<object>>>

/** Some methods of the node's, one of them PRO's, and two of ours. */
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

export interface EdgeOptions {
  handlers?: Handlers
  /** Base URL of the node; none: no upstream. */
  node?: string
  upstream?: Partial<UpstreamOptions>
  maxRequestBytes?: number
  transportErrors?: boolean
  key?: string
  isReady?: () => boolean
  tls?: PortOptions['tls']
  logger?: Logger
}

export interface Edge {
  url: string
  stop(graceMs?: number): Promise<void>
}

/** Starts the edge on a free port, everything on it. */
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
    maxRequestBytes,
    logger,
  }
  const app = {
    api: { deps, prefix: '/api' },
    metrics: undefined,
    health: { isReady: options.isReady ?? (() => true), prefix: '/health' },
    connections: upstream?.clients,
  }
  const server = await startServer([{ address: '127.0.0.1', port: 0, tls: options.tls, app }])
  const stop = async (graceMs = 0) => {
    await server.close(graceMs)
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
      ...upstream,
    },
    onFailure: (outgoing, error) => {
      if (error instanceof BodyTooLargeError) answerTooLarge(outgoing)
      else answerText(outgoing, 502, 'Bad Gateway')
    },
    logger,
  })
}

/** What a node was asked. */
export interface NodeRequest {
  method: string
  url: string
  headers: IncomingMessage['headers']
  body: string
}

export interface TestNode {
  address: string
  port: number
  server: Server
  /** In the order they came; those read by `answer`. */
  requests: NodeRequest[]
  stop(): Promise<void>
}

/** A node that reads each request and answers as the test says. */
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
    // A request that is cut is not one.
    read().catch(() => outgoing.destroy())
  }, port)
  return { ...node, requests }
}

/** A node that gets the requests unread. */
export async function startRawNode(
  onRequest: (incoming: IncomingMessage, outgoing: ServerResponse) => void,
  port = 0,
): Promise<Omit<TestNode, 'requests'>> {
  const server = createServer(onRequest)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  // An object for every server that listens on a port.
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
