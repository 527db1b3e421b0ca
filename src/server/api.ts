// The routes of the server API. Checks run in the order of a node: route (404), HTTP method (405), key (401), body.
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono } from 'hono'
import { BodyTooLargeError } from '../upstream/request-body.ts'
import { answerBusy, answerTooLarge, emptyBody } from './answer.ts'
import type { ApiDeps } from './api-deps.ts'
import { BodiesFullError } from './body-budget.ts'
import { BATCH_PATH, handleBatch } from './handle-batch.ts'
import { handleLegacy, LEGACY_PATH } from './handle-legacy.ts'
import { answerError, handleMethod, passMethod } from './handle-method.ts'
import { OverloadError } from './overload-limit.ts'
import { type ApiExchange, type HandleBody, receiveBody } from './receive-body.ts'

/** Methods of Centrifugo PRO in api.proto. An OSS node has no routes for them, but batches may contain them. */
const WITHOUT_ROUTE = new Set([
  'connections',
  'update_user_status',
  'get_user_status',
  'delete_user_status',
  'block_user',
  'unblock_user',
  'revoke_token',
  'invalidate_user_tokens',
])

/** Hono's environment on Node's http server. */
export type NodeEnvironment = { Bindings: HttpBindings }
/** Answers a request of a route. Rejects with the errors of `failRequest`, among others. */
export type Handler = (exchange: ApiExchange) => Promise<void>

/** The handlers of the API below `prefix`, by their paths. */
export function listApiRoutes(deps: ApiDeps, prefix: string): Map<string, Handler> {
  const receive = (path: string, handle: HandleBody, method?: string) => (exchange: ApiExchange) =>
    receiveBody(deps, exchange, path, handle, method)
  const routes = new Map<string, Handler>()
  routes.set(
    prefix === '' ? '/' : prefix,
    receive(LEGACY_PATH, (...request) => handleLegacy(deps, ...request)),
  )
  routes.set(
    `${prefix}/batch`,
    receive(BATCH_PATH, (...request) => handleBatch(deps, ...request)),
  )
  for (const method of deps.methods.byName.values()) {
    if (WITHOUT_ROUTE.has(method.name)) continue
    const handle: Handler =
      method.kind === 'upstream'
        ? (exchange) => passMethod(deps, method, exchange)
        : receive(`/api/${method.name}`, (...request) => handleMethod(deps, method, ...request), method.name)
    routes.set(`${prefix}/${method.name}`, handle)
  }
  return routes
}

/** Makes the routes of the API below `prefix`. */
export function makeApi(deps: ApiDeps, prefix: string): Hono<NodeEnvironment> {
  const api = new Hono<NodeEnvironment>()
  for (const [path, handle] of listApiRoutes(deps, prefix)) {
    api.all(path, (context) => {
      const { incoming, outgoing } = context.env
      if (incoming.method !== 'POST') return context.body(null, 405, emptyBody(incoming.method))
      if (!deps.hasKey(incoming)) return context.body(null, 401, emptyBody(incoming.method))
      // Handlers use Node's request and response: those of the web API would double the cost.
      runHandler(deps, handle, { incoming, outgoing })
      return RESPONSE_ALREADY_SENT
    })
  }
  return api
}

/** Runs a handler, and ends its request after an error. */
export function runHandler(deps: ApiDeps, handle: Handler, exchange: ApiExchange): void {
  handle(exchange).catch((error: unknown) => failRequest(deps, exchange, error))
}

/**
 * Ends a request after an error: 413 for large bodies, 503 for too many of them, error 100 in an overload. After other
 * errors it closes the connection, because an answer may have begun.
 */
export function failRequest(deps: ApiDeps, exchange: ApiExchange, error: unknown): void {
  const { outgoing } = exchange
  if (error instanceof OverloadError && !outgoing.headersSent) {
    answerError(deps, exchange, { error: error.kind, retryAfterSeconds: error.retryAfterSeconds })
    return
  }
  if (error instanceof BodyTooLargeError && !outgoing.headersSent) {
    answerTooLarge(outgoing)
    return
  }
  if (error instanceof BodiesFullError && !outgoing.headersSent) {
    answerBusy(outgoing)
    return
  }
  if (!outgoing.destroyed) deps.logger.error({ err: error }, 'api: request failed')
  outgoing.destroy()
}
