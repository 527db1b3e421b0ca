import type { AdminAuth } from './admin-auth.ts'

/** Whether a header `Authorization: token …` has a token of `/admin/auth`, or none is needed. */
export async function hasApiToken(auth: AdminAuth, authorization = ''): Promise<boolean> {
  if (auth.isInsecure) return true
  const [scheme = '', token = ''] = authorization.split(' ')
  if (scheme.toLowerCase() !== 'token') return false
  return (await auth.tokens.read(token, 'api'))?.session.role === 'admin'
}
