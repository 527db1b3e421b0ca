import type { IncomingHttpHeaders } from 'node:http'
import type { AdminAuth } from './admin-auth.ts'
import { isScriptOrSameOrigin } from './same-origin.ts'

/**
 * Whether a request may use the API: its header `Authorization: token …` has a token of `/admin/auth`. If none is
 * needed, a page of another site must not use the API through the browser of an administrator.
 */
export async function mayUseApi(auth: AdminAuth, headers: IncomingHttpHeaders): Promise<boolean> {
  if (auth.isInsecure) return isScriptOrSameOrigin(headers)
  const [scheme = '', token = ''] = headers.authorization?.split(' ') ?? []
  if (scheme.toLowerCase() !== 'token') return false
  return (await auth.tokens.read(token, 'api'))?.session.role === 'admin'
}
