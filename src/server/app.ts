// What a port serves, and what it says to everything else.

import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Context } from 'hono'
import { Hono } from 'hono'
import type { Upstream } from '../upstream/upstream.ts'
import { makeApi, type NodeEnvironment } from './api.ts'
import type { ApiDeps } from './api-deps.ts'
import { cleanPath, escapePath, splitTarget, unescapePath } from './request-path.ts'

/** The parts of a port; each is left out by undefined. */
export interface AppParts {
  api: { deps: ApiDeps; prefix: string } | undefined
  metrics: { read(): Promise<string>; contentType: string; prefix: string } | undefined
  /** `isReady` decides between 200 and 503. */
  health: { isReady(): boolean; prefix: string } | undefined
  /** Where clients connect: `/connection/*` and `/emulation`. */
  connections: Upstream | undefined
}

/** The app of one port. */
export function makeApp({ api, metrics, health, connections }: AppParts): Hono<NodeEnvironment> {
  const app = new Hono<NodeEnvironment>({
    // As it was sent: a URL parser would have cleaned it already.
    getPath: (_, options) => unescapePath(splitTarget(options?.env?.incoming.url).path),
  })
  if (api) app.route('/', makeApi(api.deps, api.prefix))
  if (metrics) {
    app.all(metrics.prefix, async (context) =>
      context.body(await metrics.read(), 200, { 'content-type': metrics.contentType }),
    )
  }
  if (health) app.all(health.prefix, (context) => context.json({}, health.isReady() ? 200 : 503))
  if (connections) {
    app.on(['GET', 'POST', 'OPTIONS'], ['/connection/*', '/emulation'], (context) => {
      const redirect = redirectUnclean(context)
      if (redirect) return redirect
      connections.pass(context.env.incoming, context.env.outgoing)
      return RESPONSE_ALREADY_SENT
    })
  }
  app.notFound(answerUnknown)
  return app
}

/** Paths that are not clean match no route of the API, so it is only here that they are redirected. */
function answerUnknown(context: Context<NodeEnvironment>): Response {
  return redirectUnclean(context) ?? answerNotFound(context)
}

/** As Go's ServeMux: 307 to the clean path, query kept; with a link in the body where a person may look. */
function redirectUnclean(context: Context<NodeEnvironment>): Response | undefined {
  const { incoming } = context.env
  const { path, query } = splitTarget(incoming.url)
  const clean = cleanPath(path)
  if (clean === undefined) return undefined
  const location = escapePath(clean) + query
  if (incoming.method !== 'GET' && incoming.method !== 'HEAD') return context.body(null, 307, { location })
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
  return context.body('404 page not found\n', 404, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
  })
}
