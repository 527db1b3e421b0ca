// Logging in and out: the form, the link, and the endpoints of a node's admin API (`init`, `auth`).
import { Hono } from 'hono'
import type { ActionLog } from '../actions/action-log.ts'
import type { AdminContext, AdminEnvironment } from '../admin-environment.ts'
import { readForm } from '../read-form.ts'
import type { AdminAuth, LoginResult } from './admin-auth.ts'
import { mayUseApi } from './api-token.ts'
import type { LoginAnswers } from './login-answers.tsx'
import { readNext } from './read-next.ts'
import { sessionCookie } from './session-cookie.ts'

interface Deps {
  base: string
  auth: AdminAuth
  actions: ActionLog
  answers: LoginAnswers
}

const WRONG_LINK = 'This link is not valid any more.'

/** Makes the routes that need no session. */
export function makeLoginRoutes({ base, auth, actions, answers }: Deps): Hono<AdminEnvironment> {
  const routes = new Hono<AdminEnvironment>()

  const finish = async (context: AdminContext, result: LoginResult, next: string, how: string) => {
    if (result === 'refused') {
      await answers.refuse(context, how)
      return answers.showForm(context, next, how === 'link' ? WRONG_LINK : 'This is not the password.', 403)
    }
    if ('waitMs' in result) return answers.askToWait(context, next, result.waitMs)
    await answers.begin(context, result.session, how)
    return context.redirect(next, 303)
  }

  routes.get('/login', (context) => answers.showForm(context, readNext(base, context.req.query('next'))))

  routes.post('/login', async (context) => {
    const form = await readForm(context)
    const result = auth.login(form.raw('password'), context.get('actor').address)
    return finish(context, result, readNext(base, form.text('next')), 'password')
  })

  routes.get('/link/:token', (context) => {
    // A page of another site must not use the link. A terminal opens it as `none`.
    const site = context.req.header('sec-fetch-site')
    if (site === 'cross-site' || site === 'same-site') return answers.showForm(context, base, WRONG_LINK, 403)
    return finish(context, auth.useLink(context.req.param('token'), context.get('actor').address), base, 'link')
  })

  routes.post('/logout', async (context) => {
    const found = await auth.tokens.read(sessionCookie.read(context) ?? '', 'page')
    sessionCookie.remove(context)
    if (found) await auth.ended.end(found.session)
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
