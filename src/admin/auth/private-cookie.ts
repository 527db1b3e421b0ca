import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i

/**
 * A cookie that scripts can't read, and that browsers send only over HTTPS. Browsers keep no secure cookie of plain
 * HTTP, so on a loopback address it is not secure.
 */
export class PrivateCookie {
  readonly #name: string
  readonly #sameSite: 'Strict' | 'Lax'

  /** @param sameSite `Strict`: pages of other sites can't make the browser send it. `Lax`: only by a link. */
  constructor(name: string, sameSite: 'Strict' | 'Lax') {
    this.#name = name
    this.#sameSite = sameSite
  }

  /** The value; undefined without one. */
  read(context: Context): string | undefined {
    return isPlain(context) ? getCookie(context, this.#name) : getCookie(context, this.#name, 'host')
  }

  /** Sets the value for `seconds`. */
  set(context: Context, value: string, seconds: number): void {
    const options = { httpOnly: true, sameSite: this.#sameSite, path: '/', maxAge: seconds } as const
    if (isPlain(context)) setCookie(context, this.#name, value, options)
    else setCookie(context, this.#name, value, { ...options, secure: true, prefix: 'host' })
  }

  /** Removes the cookie. */
  remove(context: Context): void {
    if (isPlain(context)) deleteCookie(context, this.#name, { path: '/' })
    else deleteCookie(context, this.#name, { path: '/', secure: true, prefix: 'host' })
  }
}

/**
 * Whether the browser will not keep the cookies, because the page came over plain HTTP. Browsers send `Sec-Fetch-Site`
 * only to origins that they trust, which are those of HTTPS and loopback addresses.
 */
export function losesCookie(context: Context): boolean {
  return !isPlain(context) && context.req.header('sec-fetch-site') === undefined
}

/** Whether the browser is on the same machine. A proxy with HTTPS may replace `Host` by a loopback address too. */
function isPlain({ req }: Context): boolean {
  return LOOPBACK.test(req.header('host') ?? '') && req.header('x-forwarded-proto') !== 'https'
}
