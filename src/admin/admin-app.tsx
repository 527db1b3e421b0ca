// The admin web UI: pages rendered on the server. Every change is a POST of a form and is logged; all pages work
// without a script.

import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { setCookie } from 'hono/cookie'
import type { Logger } from '../observability/log.ts'
import { API_ERRORS, ApiError } from '../protocol/errors.ts'
import type { ActionLog } from './actions/action-log.ts'
import { makeActionRoutes } from './actions/action-routes.tsx'
import type { AdminContext, AdminEnvironment } from './admin-environment.ts'
import type { AdminSources, PageDeps } from './admin-sources.ts'
import { makeAnalyticsRoutes } from './analytics/analytics-routes.tsx'
import { makeAssetHandler } from './assets/serve-asset.ts'
import type { AdminAuth } from './auth/admin-auth.ts'
import { mayUseApi } from './auth/api-token.ts'
import { makeLoginAnswers } from './auth/login-answers.tsx'
import { makeLoginRoutes } from './auth/login-routes.tsx'
import type { OidcOptions } from './auth/oidc/oidc-options.ts'
import { makeOidcRoutes } from './auth/oidc/oidc-routes.tsx'
import { readNext } from './auth/read-next.ts'
import { requireSession } from './auth/require-session.ts'
import { isSameOrigin, isScriptOrSameOrigin } from './auth/same-origin.ts'
import { makeConfigurationRoutes } from './configuration/configuration-routes.tsx'
import { makeDeviceRoutes } from './devices/device-routes.tsx'
import { makeRemovedRoutes } from './devices/removed-routes.tsx'
import { makeExplainRoutes } from './explain/explain-routes.tsx'
import { answerPage } from './layout/answer-page.ts'
import { ErrorPage } from './layout/error-page.tsx'
import { readUi, THEME_COOKIE, THEMES } from './layout/ui.ts'
import type { LivePolls } from './live/live-polls.ts'
import { makeNewPushRoutes } from './new-push/new-push-routes.tsx'
import { makeOverviewRoutes } from './overview/overview-routes.tsx'
import { makeQueueRoutes } from './queue/queue-routes.tsx'
import { readForm } from './read-form.ts'
import { addSecurityHeaders } from './security-headers.ts'
import { makeSendRoutes } from './sends/send-routes.tsx'
import { makeTopicRoutes } from './topics/topic-routes.tsx'

/** A form may have a whole request to send. */
const MAX_BODY_BYTES = 1024 * 1024
/** The forms without a session have a password or the path of a page. */
const MAX_OPEN_BODY_BYTES = 64 * 1024
const YEAR_SECONDS = 365 * 24 * 3600

interface Deps {
  /** The path of the web UI, for example `/admin`. */
  base: string
  auth: AdminAuth
  /** The identity provider; undefined without one. */
  oidc: { options: OidcOptions; secret: string } | undefined
  actions: ActionLog
  live: LivePolls
  /** Undefined if push notifications are disabled. */
  sources: AdminSources | undefined
  /** The configuration without secrets. */
  configuration: unknown
  /** The address of the client behind trusted proxies. */
  readAddress(incoming: IncomingMessage): string
  logger: Logger
}

/** The admin web UI, for the server. */
export interface AdminUi {
  /** The path below which it answers all requests, except those to `/api` below it. */
  base: string
  routes: Hono<AdminEnvironment>
  /** Whether a request may use `/api`. */
  mayUseApi(incoming: IncomingMessage): Promise<boolean>
}

/** Makes the admin web UI. */
export function makeAdminUi(deps: Deps): AdminUi {
  const { base, auth, oidc, actions, live, sources, configuration } = deps
  const routes = new Hono<AdminEnvironment>()
  routes.onError((error, context) => answerError(deps, error, context))
  routes.use(addSecurityHeaders, async (context, next) => {
    const { incoming } = context.env
    const requestId = randomUUID()
    context.set('actor', { role: '', person: '', address: deps.readAddress(incoming), requestId })
    context.header('x-request-id', requestId)
    const isRead = context.req.method === 'GET' || context.req.method === 'HEAD'
    // Scripts log in at `/auth` for a token, without the headers of browsers.
    const isAllowed = context.req.path === `${base}/auth` ? isScriptOrSameOrigin : isSameOrigin
    if (isRead || isAllowed(incoming.headers)) return next()
    return context.text('The request does not come from a page of this server.\n', 403)
  })
  routes.get('/assets/:name', makeAssetHandler())
  routes.on('POST', ['/login', '/auth', '/logout', '/theme'], limitBody(MAX_OPEN_BODY_BYTES))
  const answers = makeLoginAnswers({ base, auth, actions, identityProvider: oidc?.options.displayName })
  routes.route('/', makeLoginRoutes({ base, auth, actions, answers }))
  if (oidc) routes.route('/', makeOidcRoutes({ ...oidc, base, auth, answers, logger: deps.logger, now: Date.now }))
  routes.post('/theme', async (context) => {
    const form = await readForm(context)
    const theme = THEMES.find((known) => known === form.text('theme')) ?? 'system'
    setCookie(context, THEME_COOKIE, theme, { path: base, sameSite: 'Lax', httpOnly: true, maxAge: YEAR_SECONDS })
    return context.redirect(readNext(base, form.text('here')), 303)
  })
  // Without a session a client must not occupy memory, so larger bodies are read after the check.
  routes.use(requireSession(base, auth), limitBody(MAX_BODY_BYTES))
  routes.route('/', makeConfigurationRoutes({ base, configuration }))
  routes.route('/', makeActionRoutes({ base, actions }))
  if (sources) for (const make of PAGES) routes.route('/', make({ base, sources, actions, live }))
  routes.all('*', (context) => {
    const why = sources ? 'There is no such page.' : 'Push notifications are disabled on this server.'
    return answerPage(context, <ErrorPage ui={readUi(context, base)} title="Not found" why={why} />, 404)
  })
  return { base, routes, mayUseApi: ({ headers }) => mayUseApi(auth, headers) }
}

const PAGES: readonly ((deps: PageDeps) => Hono<AdminEnvironment>)[] = [
  makeOverviewRoutes,
  makeSendRoutes,
  makeExplainRoutes,
  makeNewPushRoutes,
  makeDeviceRoutes,
  makeRemovedRoutes,
  makeTopicRoutes,
  makeQueueRoutes,
  makeAnalyticsRoutes,
]

function limitBody(maxSize: number) {
  // The rest of the body is not read, so the connection can't be used again.
  const onError = (context: Context) => context.text('The form is too large.\n', 413, { connection: 'close' })
  return bodyLimit({ maxSize, onError })
}

/** Shows a refused request with its reason. Other errors are logged, and the page has their id. */
async function answerError({ base, logger }: Deps, error: Error, context: AdminContext): Promise<Response> {
  const ui = readUi(context, base)
  if (error instanceof ApiError && error.kind !== 'internal') {
    const { httpStatus } = API_ERRORS[error.kind]
    return answerPage(context, <ErrorPage ui={ui} title="This is not possible" why={error.message} />, httpStatus)
  }
  const { requestId } = context.get('actor')
  logger.error({ err: error, requestId }, 'admin: request failed')
  const why = `The server could not answer: a store may be down. Its log has the reason at request id ${requestId}.`
  return answerPage(context, <ErrorPage ui={ui} title="Something failed" why={why} />, 500)
}
