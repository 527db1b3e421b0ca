import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'

const NAME = 'centripush_admin'
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i

/**
 * The cookie of a session: not readable by scripts, not sent by other sites, and only over HTTPS. Browsers keep no
 * secure cookie of plain HTTP, so on a loopback address it is not secure.
 */
export function readSessionCookie(context: Context): string | undefined {
  return isPlain(context) ? getCookie(context, NAME) : getCookie(context, NAME, 'host')
}

/** Sets the cookie of a session for `seconds`. */
export function setSessionCookie(context: Context, token: string, seconds: number): void {
  const options = { httpOnly: true, sameSite: 'Strict', path: '/', maxAge: seconds } as const
  if (isPlain(context)) setCookie(context, NAME, token, options)
  else setCookie(context, NAME, token, { ...options, secure: true, prefix: 'host' })
}

/** Removes the cookie of a session. */
export function removeSessionCookie(context: Context): void {
  if (isPlain(context)) deleteCookie(context, NAME, { path: '/' })
  else deleteCookie(context, NAME, { path: '/', secure: true, prefix: 'host' })
}

/**
 * Whether the browser will not keep the cookie, because the page came over plain HTTP. Browsers send `Sec-Fetch-Site`
 * only to origins that they trust, which are those of HTTPS and loopback addresses.
 */
export function losesCookie(context: Context): boolean {
  return !isPlain(context) && context.req.header('sec-fetch-site') === undefined
}

/** Whether the browser is on the same machine. A proxy with HTTPS may replace `Host` by a loopback address too. */
function isPlain({ req }: Context): boolean {
  return LOOPBACK.test(req.header('host') ?? '') && req.header('x-forwarded-proto') !== 'https'
}
