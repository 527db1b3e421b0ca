import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Action, ActionLog } from '../actions/action-log.ts'
import type { AdminContext } from '../admin-environment.ts'
import { answerPage } from '../layout/answer-page.ts'
import { readUi } from '../layout/ui.ts'
import type { AdminAuth } from './admin-auth.ts'
import { LoginPage } from './login-page.tsx'
import { losesCookie } from './private-cookie.ts'
import type { Session } from './session.ts'
import { sessionCookie } from './session-cookie.ts'

interface Deps {
  base: string
  auth: AdminAuth
  actions: ActionLog
  /** The name of the identity provider; undefined without one. */
  identityProvider: string | undefined
}

/** The answers to attempts to log in, by whatever means. */
export interface LoginAnswers {
  /** The page for a login. @param problem why the last attempt failed */
  showForm(context: AdminContext, next: string, problem?: string, status?: ContentfulStatusCode): Promise<Response>
  /** The same page for an address that has failed too often. */
  askToWait(context: AdminContext, next: string, waitMs: number): Promise<Response>
  /** Logs a login and sets the cookie of its session. It is always a new one: no value of a cookie is taken over. */
  begin(context: AdminContext, session: Session, how: string): Promise<void>
  /** Logs a refused login. @param person the name at the identity provider; empty if it is not known */
  refuse(context: AdminContext, how: string, person?: string): Promise<void>
}

/** Makes the answers. */
export function makeLoginAnswers({ base, auth, actions, identityProvider }: Deps): LoginAnswers {
  const actionOf = (how: string): Action => ({ action: 'log in', target: '', detail: how })
  const showForm: LoginAnswers['showForm'] = (context, next, problem = '', status = 200) =>
    answerPage(
      context,
      <LoginPage
        ui={readUi(context, base)}
        next={next}
        hasPassword={auth.hasPassword}
        identityProvider={identityProvider}
        problem={problem}
        losesCookie={losesCookie(context)}
      />,
      status,
    )
  return {
    showForm,
    askToWait(context, next, waitMs) {
      context.header('retry-after', String(Math.ceil(waitMs / 1000)))
      const minutes = Math.ceil(waitMs / 60_000)
      return showForm(context, next, `Too many failed logins. Try again in ${minutes} min.`, 429)
    },
    async begin(context, session, how) {
      const { role, person } = session
      await actions.note({ ...context.get('actor'), role, person }, actionOf(how), 'done')
      const { token, seconds } = await auth.tokens.issue(session, 'page')
      sessionCookie.set(context, token, seconds)
    },
    refuse: (context, how, person = '') => actions.note({ ...context.get('actor'), person }, actionOf(how), 'refused'),
  }
}
