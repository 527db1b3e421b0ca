// Starts the ports: an external one for clients and, if configured, an internal one for API, metrics and health.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { answerLast } from './answer.ts'
import { type AppParts, makeApp } from './app.ts'
import { makeBeforeRoutes } from './before-routes.ts'
import { explainListenError } from './check-ports.ts'
import { answerClientErrors } from './client-errors.ts'
import { makeDirectRoutes } from './direct-routes.ts'
import { LargeHeads, MAX_HEAD_BYTES, MAX_SSE_HEAD_BYTES } from './large-heads.ts'
import { makeChildCheck } from './parent-server.ts'
import { makeTlsOptions, type TlsSettings } from './tls.ts'
import { serveUpgrades } from './upgrades.ts'

/** Time to receive the headers of a request. Slow clients must not occupy connections. */
const HEADERS_TIMEOUT_MS = 20_000
/** Time to receive a whole request. */
const REQUEST_TIMEOUT_MS = 120_000
/** Longer than the 60 s of load balancers, so that the load balancer closes idle connections. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000
/**
 * The same for the port that the RPC proxy of a node calls. A node keeps idle connections without a time limit. If the
 * server closes one while the node writes a request to it, the node does not repeat the request.
 */
const NODE_KEEP_ALIVE_TIMEOUT_MS = 15 * 60_000
/** The answer to CONNECT, which Node gives to a listener of its own. */
const METHOD_NOT_ALLOWED = 'HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
/** Interval at which a stopping server closes connections that became idle. */
const IDLE_SWEEP_MS = 50

/** A port and its routes. */
export interface PortOptions {
  /** The interface to listen on; empty for all. */
  address: string
  port: number
  tls: TlsSettings | undefined
  app: AppParts
  /** Only API processes with this key are served. */
  childKey?: string
  /** The RPC proxy of a node calls this port, whichever process answers. */
  hasRpcProxy?: boolean
}

/** The started ports. */
export interface RunningServer {
  /** Base URLs, in the order of the ports. */
  urls: string[]
  /**
   * Accepts no more connections. Requests in flight may finish for `graceMs`. Disconnects the clients of the connection
   * endpoints in slices over `spreadMs`, and after `graceMs` at the latest.
   */
  close(graceMs: number, spreadMs: number): Promise<void>
}

/** Starts all ports, or none. @throws ConfigError when a port can't be opened */
export async function startServer(ports: readonly PortOptions[]): Promise<RunningServer> {
  const servers = ports.map((port) => ({ port, ...makeServer(port) }))
  const close = async (graceMs: number, spreadMs: number) => {
    await Promise.all(
      servers.map(({ port, server, closeWaiting }) => {
        const { connections } = port.app
        const cut = () => {
          server.closeAllConnections()
          closeWaiting()
          connections?.closeClients()
        }
        connections?.disconnectAll(Math.min(spreadMs, graceMs))
        return closeServer(server, graceMs, cut)
      }),
    )
  }
  try {
    const urls: string[] = []
    for (const { port, server } of servers) urls.push(await listen(server, port))
    return { urls, close }
  } catch (error) {
    await close(0, 0)
    throw error
  }
}

function makeServer({ tls, app, childKey, hasRpcProxy = app.rpcProxy !== undefined }: PortOptions): {
  server: Server
  closeWaiting(): void
} {
  const options = {
    maxHeaderSize: app.connections ? MAX_SSE_HEAD_BYTES : MAX_HEAD_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
  }
  const server = tls
    ? createTlsServer({ ...options, ...makeTlsOptions(tls), allowHalfOpen: true })
    : createServer(options)
  server.keepAliveTimeout = hasRpcProxy ? NODE_KEEP_ALIVE_TIMEOUT_MS : KEEP_ALIVE_TIMEOUT_MS
  // A client may close its side after its last request and wait for the answer. Node's types lack this property.
  Object.assign(server, { httpAllowHalfOpen: true })
  serveRequests(server, app, tls ? 'secureConnection' : 'connection', childKey)
  answerClientErrors(server)
  server.on('connect', (_, socket) => socket.end(METHOD_NOT_ALLOWED))
  return { server, closeWaiting: serveUpgrades(server) }
}

function serveRequests(
  server: Server,
  app: AppParts,
  connects: 'connection' | 'secureConnection',
  childKey: string | undefined,
): void {
  const listener = getRequestListener(makeApp(app).fetch, {
    overrideGlobalObjects: false,
    // The host of requests without a Host header (HTTP/1.0). Nothing depends on it.
    hostname: 'localhost',
  })
  const { connections: clients } = app
  const handleBeforeRoutes = makeBeforeRoutes({
    via: clients?.via ?? app.api?.deps.upstream?.via ?? app.nodeAdmin?.via,
    sse: clients && { heads: new LargeHeads(server, connects), clients },
  })
  const handleDirectly = makeDirectRoutes(app)
  const isChild = childKey === undefined ? () => true : makeChildCheck(childKey)
  server.on('request', (incoming, outgoing) => {
    if (!isChild(incoming)) answerLast(outgoing, 403, 'Forbidden')
    else if (!handleBeforeRoutes(incoming, outgoing) && !handleDirectly(incoming, outgoing)) {
      void listener(incoming, outgoing)
    }
  })
}

async function listen(server: Server, { address, port, tls }: PortOptions): Promise<string> {
  server.listen(port, address === '' ? undefined : address)
  try {
    await once(server, 'listening')
  } catch (error) {
    throw explainListenError({ address, port }, error)
  }
  // A server that listens on TCP has this type of address.
  const bound = server.address() as AddressInfo
  const host = ['', '0.0.0.0', '::'].includes(address) ? 'localhost' : address
  return `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${bound.port}`
}

/** Resolves when the server has no connection. Calls `cut`, which closes them, after `graceMs`. */
async function closeServer(server: Server, graceMs: number, cut: () => void): Promise<void> {
  if (!server.listening) return
  const closed = once(server, 'close')
  // Connections of requests in flight must not become idle keep-alive connections.
  server.prependListener('request', (_, outgoing) => outgoing.setHeader('connection', 'close'))
  const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS)
  const deadline = setTimeout(cut, graceMs)
  server.close()
  await closed
  clearInterval(sweep)
  clearTimeout(deadline)
}
