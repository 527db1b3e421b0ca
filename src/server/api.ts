// The routes of the server API. Checks run in the order of a node: route (404), HTTP method (405), key (401), body.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { type Context, Hono } from 'hono'
import { BodyTooLargeError } from '../upstream/request-body.ts'
import { answerTooLarge, emptyBody } from './answer.ts'
import type { ApiDeps } from './api-deps.ts'
import { handleBatch } from './handle-batch.ts'
import { handleLegacy } from './handle-legacy.ts'
import { handleMethod } from './handle-method.ts'

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
type Handler = (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>

/** Makes the routes of the API below `prefix`. */
export function makeApi(deps: ApiDeps, prefix: string): Hono<NodeEnvironment> {
  const api = new Hono<NodeEnvironment>()
  const answer = (context: Context<NodeEnvironment>, handle: Handler): Response => {
    const { incoming, outgoing } = context.env
    if (incoming.method !== 'POST') return context.body(null, 405, emptyBody(incoming.method))
    if (!deps.hasKey(incoming)) return context.body(null, 401, emptyBody(incoming.method))
    // Handlers use Node's request and response: those of the web API would double the cost.
    handle(incoming, outgoing).catch((error: unknown) => fail(deps, outgoing, error))
    return RESPONSE_ALREADY_SENT
  }
  api.all(prefix === '' ? '/' : prefix, (context) => answer(context, (...io) => handleLegacy(deps, ...io)))
  api.all(`${prefix}/batch`, (context) => answer(context, (...io) => handleBatch(deps, ...io)))
  for (const method of deps.methods.byName.values()) {
    if (WITHOUT_ROUTE.has(method.name)) continue
    api.all(`${prefix}/${method.name}`, (context) => answer(context, (...io) => handleMethod(deps, method, ...io)))
  }
  return api
}

/**
 * Ends a request after an error: 413 for large bodies. Otherwise closes the connection, as an answer may have begun.
 */
function fail({ logger }: ApiDeps, outgoing: ServerResponse, error: unknown): void {
  if (error instanceof BodyTooLargeError && !outgoing.headersSent) {
    answerTooLarge(outgoing)
    return
  }
  if (!outgoing.destroyed) logger.error({ err: error }, 'api: request failed')
  outgoing.destroy()
}
