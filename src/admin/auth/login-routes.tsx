// Logging in and out: the form, the link, and the endpoints of a node's admin API (`init`, `auth`).
import { Hono } from 'hono'
import type { ActionLog } from '../actions/action-log.ts'
import type { AdminContext, AdminEnvironment } from '../admin-environment.ts'
import { answerPage } from '../layout/answer-page.ts'
import { readUi } from '../layout/ui.ts'
import { readForm } from '../read-form.ts'
import type { AdminAuth, LoginResult } from './admin-auth.ts'
import { mayUseApi } from './api-token.ts'
import { LoginPage } from './login-page.tsx'
import { losesCookie, removeSessionCookie, setSessionCookie } from './session-cookie.ts'

interface Deps {
  base: string
  auth: AdminAuth
  actions: ActionLog
}

const WRONG_LINK = 'This link is not valid any more.'

/** Makes the routes that need no session. */
export function makeLoginRoutes({ base, auth, actions }: Deps): Hono<AdminEnvironment> {
  const routes = new Hono<AdminEnvironment>()

  const showForm = (context: AdminContext, next: string, problem = '', status: 200 | 403 | 429 = 200) =>
    answerPage(
      context,
      <LoginPage
        ui={readUi(context, base)}
        next={next}
        hasPassword={auth.hasPassword}
        problem={problem}
        losesCookie={losesCookie(context)}
      />,
      status,
    )

  /** Ends an attempt to log in. A session is always a new one: the value of a cookie is never taken over. */
  const finish = async (context: AdminContext, result: LoginResult, next: string, how: string) => {
    const actor = context.get('actor')
    const action = { action: 'log in', target: '', detail: how }
    if (result === 'refused') {
      await actions.note(actor, action, 'refused')
      return showForm(context, next, how === 'link' ? WRONG_LINK : 'This is not the password.', 403)
    }
    if ('waitMs' in result) {
      context.header('retry-after', String(Math.ceil(result.waitMs / 1000)))
      const minutes = Math.ceil(result.waitMs / 60_000)
      return showForm(context, next, `Too many failed logins. Try again in ${minutes} min.`, 429)
    }
    const { session } = result
    await actions.note({ ...actor, role: session.role }, action, 'done')
    const { token, seconds } = await auth.tokens.issue(session, 'page')
    setSessionCookie(context, token, seconds)
    return context.redirect(next, 303)
  }

  routes.get('/login', (context) => showForm(context, readNext(base, context.req.query('next'))))

  routes.post('/login', async (context) => {
    const form = await readForm(context)
    const result = auth.login(form.raw('password'), context.get('actor').address)
    return finish(context, result, readNext(base, form.text('next')), 'password')
  })

  routes.get('/link/:token', (context) => {
    // A page of another site must not use the link. A terminal opens it as `none`.
    const site = context.req.header('sec-fetch-site')
    if (site === 'cross-site' || site === 'same-site') return showForm(context, base, WRONG_LINK, 403)
    return finish(context, auth.useLink(context.req.param('token'), context.get('actor').address), base, 'link')
  })

  routes.post('/logout', (context) => {
    removeSessionCookie(context)
    return context.redirect(`${base}/login`, 303)
  })

  routes.get('/init', async (context) =>
    context.json({
      insecure: auth.isInsecure,
      edition: 'oss',
      authenticated: await mayUseApi(auth, context.env.incoming.headers),
    }),
  )

  // As at a node: 400 for a wrong password, and a token for the header `Authorization: token …`.
  routes.post('/auth', async (context) => {
    const { raw } = await readForm(context)
    const actor = context.get('actor')
    const result = auth.login(raw('password'), actor.address)
    if (typeof result === 'object' && 'waitMs' in result) {
      return context.body(null, 429, { 'retry-after': String(Math.ceil(result.waitMs / 1000)) })
    }
    const action = { action: 'log in', target: '', detail: 'token for scripts' }
    // The API can change everything, so a viewer gets no token for it.
    if (result === 'refused' || result.session.role !== 'admin') {
      await actions.note(actor, action, 'refused')
      return context.body(null, 400)
    }
    await actions.note({ ...actor, role: 'admin' }, action, 'done')
    return context.json({ token: (await auth.tokens.issue(result.session, 'api')).token })
  })

  return routes
}

/** The page to show after a login: only a path of the web UI, never another site. */
export function readNext(base: string, next: string | undefined): string {
  const url = URL.parse(next ?? '', 'http://localhost')
  const isOwn = url?.origin === 'http://localhost' && (url.pathname === base || url.pathname.startsWith(`${base}/`))
  return isOwn ? url.pathname + url.search : base
}
