import type { Context } from 'hono'

/**
 * Whether a request comes from a page of this server. Browsers send `Sec-Fetch-Site` or at least `Origin` with every
 * POST, and no page can change them. The session cookie is not sent by other sites either; this also stops other
 * origins of the same site, and the login of a victim into another session.
 */
export function isSameOrigin({ req }: Context): boolean {
  const site = req.header('sec-fetch-site')
  if (site !== undefined) return site === 'same-origin'
  const origin = URL.parse(req.header('origin') ?? '')
  return origin !== null && origin.host === req.header('host')
}
