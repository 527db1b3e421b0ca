import type { MiddlewareHandler } from 'hono'
import type { AdminContext, AdminEnvironment } from '../admin-environment.ts'
import type { AdminAuth } from './admin-auth.ts'
import type { Session } from './session.ts'
import { sessionCookie } from './session-cookie.ts'

/**
 * Admits requests with a session. Changes need an administrator: all of them are POST, and viewers get 403 for any
 * POST. Pages without a session redirect to the login, events and changes get 401.
 */
export function requireSession(base: string, auth: AdminAuth): MiddlewareHandler<AdminEnvironment> {
  return async (context, next) => {
    const session = await findSession(context, auth)
    if (!session) return refuse(context, base)
    context.set('session', session)
    context.set('hasEnded', () => auth.ended.has(session.id))
    context.set('actor', { ...context.get('actor'), role: session.role, person: session.person })
    const isRead = context.req.method === 'GET' || context.req.method === 'HEAD'
    if (!isRead && session.role !== 'admin') return context.text('A viewer changes nothing.\n', 403)
    return next()
  }
}

async function findSession(context: AdminContext, auth: AdminAuth): Promise<Session | undefined> {
  if (auth.isInsecure) return auth.makeSession('admin')
  const found = await auth.readSession(sessionCookie.read(context) ?? '')
  if (!found) return undefined
  if (found.isOld) {
    const { token, seconds } = await auth.tokens.issue(found.session, 'page')
    sessionCookie.set(context, token, seconds)
  }
  return found.session
}

function refuse(context: AdminContext, base: string): Response {
  const isPage = context.req.method === 'GET' && (context.req.header('accept') ?? '').includes('text/html')
  // The body of a form is not read, so its connection can't be used again.
  if (context.req.method === 'POST') return context.text('Unauthorized\n', 401, { connection: 'close' })
  if (!isPage) return context.text('Unauthorized\n', 401)
  const url = new URL(context.req.url)
  return context.redirect(`${base}/login?next=${encodeURIComponent(url.pathname + url.search)}`, 303)
}
