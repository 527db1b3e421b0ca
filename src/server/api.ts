// The server API's routes. In the order of a node: route (404), HTTP method (405), key (401), body.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { type Context, Hono } from 'hono'
import { BodyTooLargeError } from '../upstream/relay.ts'
import { answerTooLarge } from './answer.ts'
import type { ApiDeps } from './api-deps.ts'
import { handleBatch } from './handle-batch.ts'
import { handleLegacy } from './handle-legacy.ts'
import { handleMethod } from './handle-method.ts'

/** In api.proto but of Centrifugo PRO: a node without it has no routes for them. Batches and legacy commands may name them. */
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

export type NodeEnvironment = { Bindings: HttpBindings }
type Handler = (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>

/** The routes of the API, to be mounted under its prefix. */
export function makeApi(deps: ApiDeps, prefix: string): Hono<NodeEnvironment> {
  const api = new Hono<NodeEnvironment>()
  const answer = (context: Context<NodeEnvironment>, handle: Handler): Response => {
    const { incoming, outgoing } = context.env
    if (incoming.method !== 'POST') return context.body(null, 405)
    if (!deps.hasKey(incoming)) return context.body(null, 401)
    // Past this line the raw request and response are used: a web Request and Response would double the cost.
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

/** What a handler did not expect, and bodies that are too large. The client may be gone, or its answer begun. */
function fail({ logger }: ApiDeps, outgoing: ServerResponse, error: unknown): void {
  if (error instanceof BodyTooLargeError && !outgoing.headersSent) {
    answerTooLarge(outgoing)
    return
  }
  if (!outgoing.destroyed) logger.error({ err: error }, 'api: request failed')
  outgoing.destroy()
}
