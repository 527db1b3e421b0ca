import type { IncomingHttpHeaders } from 'node:http'

/**
 * Whether a request comes from a page of this server. Browsers send `Sec-Fetch-Site` or at least `Origin` with every
 * POST, and no page can change them. The session cookie is not sent by other sites either; this also stops other
 * origins of the same site, and the login of a victim into another session.
 */
export function isSameOrigin({ 'sec-fetch-site': site, origin, host }: IncomingHttpHeaders): boolean {
  if (site !== undefined) return site === 'same-origin'
  const from = URL.parse(origin ?? '')
  return from !== null && from.host === host
}

/** Whether a POST may come from a script outside of browsers, or comes from a page of this server. */
export function isScriptOrSameOrigin(headers: IncomingHttpHeaders): boolean {
  const isScript = headers['sec-fetch-site'] === undefined && headers.origin === undefined
  return isScript || isSameOrigin(headers)
}
