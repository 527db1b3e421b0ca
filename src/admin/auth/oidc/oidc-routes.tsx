// The login at the identity provider: its beginning, and the callback with the answer.
import { Hono } from 'hono'
import { OIDC_CALLBACK } from '../../../config/check-admin.ts'
import type { Claims } from '../../../config/claims-expression.ts'
import type { Logger } from '../../../observability/log.ts'
import type { AdminContext, AdminEnvironment } from '../../admin-environment.ts'
import { answerPage } from '../../layout/answer-page.ts'
import { makeLink, readUi } from '../../layout/ui.ts'
import type { AdminAuth } from '../admin-auth.ts'
import type { LoginAnswers } from '../login-answers.tsx'
import { LoggedInPage } from '../login-page.tsx'
import { readNext } from '../read-next.ts'
import { makeAccessRules } from './access-rules.ts'
import { IdentityProvider } from './identity-provider.ts'
import { explainFailure } from './login-failure.ts'
import type { OidcOptions } from './oidc-options.ts'
import { type PendingLogin, PendingLogins } from './pending-login.ts'

interface Deps {
  base: string
  auth: AdminAuth
  answers: LoginAnswers
  options: OidcOptions
  /** The secret of sessions. */
  secret: string
  logger: Logger
  /** Unix time in ms. */
  now(): number
}

/** The name of this way to log in, in the action log. */
const HOW = 'OIDC'

/** Makes the routes below `/oidc`. */
export function makeOidcRoutes({ base, auth, answers, options, secret, logger, now }: Deps): Hono<AdminEnvironment> {
  const routes = new Hono<AdminEnvironment>()
  const provider = new IdentityProvider(options, now)
  const pending = new PendingLogins({ secret, now })
  const findPerson = makeAccessRules(options)
  const { displayName } = options

  /** Shows that a login failed. The reason is in the log only: it is for operators. */
  const fail = async (context: AdminContext, next: string, error: unknown) => {
    const { reason, isOutage } = explainFailure(error)
    const { requestId, address } = context.get('actor')
    logger.warn({ reason, requestId, address }, 'admin: login by OIDC failed')
    const what = isOutage ? `${displayName} can not be used now.` : `The login at ${displayName} failed.`
    const why = `Try again. If it happens again, the log of the server has the reason at request id ${requestId}.`
    return { isOutage, answer: await answers.showForm(context, next, `${what} ${why}`, isOutage ? 503 : 403) }
  }

  routes.get('/oidc/login', async (context) => {
    const next = readNext(base, context.req.query('next'))
    const waitMs = auth.failed.waitMs(context.get('actor').address)
    if (waitMs > 0) return answers.askToWait(context, next, waitMs)
    // A page of another site must not log its visitors in.
    const site = context.req.header('sec-fetch-site')
    if (site === 'cross-site' || site === 'same-site') return context.redirect(makeLink(base, '/login', { next }), 303)
    try {
      const { login, url } = await provider.begin(next)
      await pending.keep(context, login)
      return context.redirect(url.href, 303)
    } catch (error) {
      return (await fail(context, next, error)).answer
    }
  })

  routes.get(OIDC_CALLBACK, async (context) => {
    const login = await pending.take(context, context.req.query('state'))
    if (!login) return answers.showForm(context, base, noLoginText(options), 403)
    const { address } = context.get('actor')
    const waitMs = auth.failed.waitMs(address)
    if (waitMs > 0) return answers.askToWait(context, login.next, waitMs)
    const takeBack = auth.failed.add(address)
    let claims: Claims
    try {
      claims = await provider.finish(login, new URL(context.req.url).search)
    } catch (error) {
      const { isOutage, answer } = await fail(context, login.next, error)
      if (isOutage) takeBack()
      else await answers.refuse(context, HOW)
      return answer
    }
    return admit(context, login, claims, takeBack)
  })

  const admit = async (context: AdminContext, login: PendingLogin, claims: Claims, takeBack: () => void) => {
    const { name, role, why } = findPerson(claims)
    const { requestId } = context.get('actor')
    if (!role) {
      logger.warn({ person: name, reason: why, requestId }, 'admin: login by OIDC refused')
      await answers.refuse(context, HOW, name)
      const text = `${displayName} knows you as ${name}, but this person has no access. Ask an administrator for it.`
      return answers.showForm(context, login.next, text, 403)
    }
    takeBack()
    await answers.begin(context, auth.makeSession(role, name), HOW)
    return answerPage(context, <LoggedInPage ui={readUi(context, base)} next={login.next} />)
  }

  return routes
}

function noLoginText({ redirectUri }: OidcOptions): string {
  const { origin } = new URL(redirectUri)
  return (
    'This answer belongs to no login that this browser has begun in the last minutes. ' +
    `Log in again at ${origin}, with cookies allowed.`
  )
}
