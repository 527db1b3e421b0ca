// The routes of a port: its own, those of the node, and its answers to unknown paths.
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Context } from 'hono'
import { Hono } from 'hono'
import type { ClientProxy } from '../upstream/client-proxy.ts'
import { type AdminMount, makeAdminMount } from './admin-mount.ts'
import { makeApi, type NodeEnvironment } from './api.ts'
import type { ApiDeps } from './api-deps.ts'
import { type ClientPush, handleClientPush } from './client-push.ts'
import type { ParentServer } from './parent-server.ts'
import { cleanPath, escapePath, splitTarget, unescapePath } from './request-path.ts'
import { handleRpcProxy, type RpcProxy } from './rpc-proxy.ts'

/** The routes of a port. Undefined parts are not served. */
export interface AppParts {
  api: { deps: ApiDeps; prefix: string } | undefined
  metrics: { read(): Promise<string>; contentType: string; prefix: string } | undefined
  /** Answers 200 while `isReady`, otherwise 503, with the body of `describe`. */
  health: { isReady(): boolean; describe(): object; prefix: string } | undefined
  /** The endpoint for the RPC proxy of the node. */
  rpcProxy?: RpcProxy | undefined
  /** The push methods over HTTP for clients. */
  clientPush?: ClientPush | undefined
  /** The connection endpoints of the node. */
  connections: ClientProxy | undefined
  admin: AdminMount | undefined
  /** The admin web UI of the node. */
  nodeAdmin: ClientProxy | undefined
  /** In an API process: its parent, which answers all other requests. */
  rest?: ParentServer | undefined
}

/** Makes the app of one port. */
export function makeApp(parts: AppParts): Hono<NodeEnvironment> {
  const { api, metrics, health, connections, admin, nodeAdmin, rest } = parts
  const app = new Hono<NodeEnvironment>({
    // The path as it was sent: a URL parser would remove dot segments.
    getPath: (_, options) => unescapePath(splitTarget(options?.env?.incoming.url).path),
  })
  if (api) app.route('/', makeApi(api.deps, api.prefix))
  addClientRoutes(app, parts)
  if (metrics) {
    app.all(metrics.prefix, async (context) =>
      context.body(await metrics.read(), 200, { 'content-type': metrics.contentType }),
    )
  }
  if (health) {
    app.all(health.prefix, (context) => {
      const body = JSON.stringify(health.describe())
      // HEAD has the length too.
      const headers = { 'content-type': 'application/json', 'content-length': String(body.length) }
      return context.body(body, health.isReady() ? 200 : 503, headers)
    })
  }
  if (admin) app.route('/', makeAdminMount(admin))
  app.notFound((context) => {
    const { path } = context.req
    const isConnection = connections?.paths.isConnection(path)
    const node = isConnection ? connections : nodeAdmin?.paths.isAdmin(path) ? nodeAdmin : rest
    return redirectUnclean(context) ?? passOn(context, node) ?? answerNotFound(context)
  })
  return app
}

/** Adds the routes for calls of clients. Like the API, they use Node's request and response. */
function addClientRoutes(app: Hono<NodeEnvironment>, { rpcProxy, clientPush }: AppParts): void {
  if (rpcProxy) {
    app.all(rpcProxy.prefix, ({ env }) => {
      handleRpcProxy(rpcProxy, env.incoming, env.outgoing)
      return RESPONSE_ALREADY_SENT
    })
  }
  if (clientPush) {
    app.all(`${clientPush.prefix}/:method`, ({ env, req }) => {
      handleClientPush(clientPush, req.param('method'), env.incoming, env.outgoing)
      return RESPONSE_ALREADY_SENT
    })
  }
}

/** Passes the request on to the node, if there is one for it. */
function passOn({ env }: Context<NodeEnvironment>, node: ParentServer | undefined): Response | undefined {
  if (!node) return undefined
  node.pass(env.incoming, env.outgoing)
  return RESPONSE_ALREADY_SENT
}

/** Redirects to the clean path as Go's ServeMux does: 307, with the query, and for GET with a link in the body. */
function redirectUnclean(context: Context<NodeEnvironment>): Response | undefined {
  const { incoming } = context.env
  const { path, query } = splitTarget(incoming.url)
  const clean = cleanPath(path)
  if (clean === undefined) return undefined
  const location = escapePath(clean) + query
  if (incoming.method !== 'GET' && incoming.method !== 'HEAD')
    return context.body(null, 307, { location, 'content-length': '0' })
  const link = location
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&#34;')
    .replaceAll("'", '&#39;')
  const html = { location, 'content-type': 'text/html; charset=utf-8' }
  return context.body(`<a href="${link}">Temporary Redirect</a>.\n\n`, 307, html)
}

function answerNotFound(context: Context<NodeEnvironment>): Response {
  const text = '404 page not found\n'
  return context.body(text, 404, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    // Written out for HEAD.
    'content-length': String(text.length),
  })
}
