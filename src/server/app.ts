// What a port serves, and what it says to everything else.

import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Context } from 'hono'
import { Hono } from 'hono'
import type { Registry } from 'prom-client'
import type { Upstream } from '../upstream/upstream.ts'
import { makeApi, type NodeEnvironment } from './api.ts'
import type { ApiDeps } from './api-deps.ts'
import { cleanPath } from './clean-path.ts'

/** The parts of a port; each is left out by undefined. */
export interface AppParts {
  api: { deps: ApiDeps; prefix: string } | undefined
  metrics: { registry: Registry; prefix: string } | undefined
  /** `isReady` decides between 200 and 503. */
  health: { isReady(): boolean; prefix: string } | undefined
  /** Where clients connect: `/connection/*` and `/emulation`. */
  connections: Upstream | undefined
}

/** The app of one port. */
export function makeApp({ api, metrics, health, connections }: AppParts): Hono<NodeEnvironment> {
  const app = new Hono<NodeEnvironment>({ getPath: (_, options) => pathOf(options?.env?.incoming.url) })
  app.use(redirectUncleanPath)
  if (api) app.route('/', makeApi(api.deps, api.prefix))
  if (metrics) {
    app.get(metrics.prefix, async (context) =>
      context.body(await metrics.registry.metrics(), 200, { 'content-type': metrics.registry.contentType }),
    )
  }
  if (health) app.get(health.prefix, (context) => context.json({}, health.isReady() ? 200 : 503))
  if (connections) {
    app.on(['GET', 'POST', 'OPTIONS'], ['/connection/*', '/emulation'], (context) => {
      connections.pass(context.env.incoming, context.env.outgoing)
      return RESPONSE_ALREADY_SENT
    })
  }
  app.notFound(answerNotFound)
  return app
}

/** The path as it was sent: a URL parser would have cleaned it already. */
function pathOf(url = '/'): string {
  const end = url.indexOf('?')
  const path = end === -1 ? url : url.slice(0, end)
  try {
    return decodeURIComponent(path)
  } catch {
    // A stray percent sign: such a path is none of ours.
    return path
  }
}

/** As Go's ServeMux: 307 to the clean path, query kept; with a link in the body where a person may look. */
async function redirectUncleanPath(context: Context<NodeEnvironment>, next: () => Promise<void>) {
  const url = context.env.incoming.url ?? '/'
  const path = pathOf(url)
  const clean = cleanPath(path)
  if (clean === undefined) return next()
  const query = url.indexOf('?')
  const location = encodeURI(clean) + (query === -1 ? '' : url.slice(query))
  const isRead = context.req.method === 'GET' || context.req.method === 'HEAD'
  if (!isRead) return context.body(null, 307, { location })
  const link = location
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&#34;')
  const html = { location, 'content-type': 'text/html; charset=utf-8' }
  return context.body(`<a href="${link}">Temporary Redirect</a>.\n\n`, 307, html)
}

function answerNotFound(context: Context<NodeEnvironment>): Response {
  return context.body('404 page not found\n', 404, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
  })
}
