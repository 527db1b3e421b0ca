// The web UI with a login by OIDC behind a proxy, and a browser without scripts that walks through it.
import { noteSecrets } from '../../support/run-log.ts'
import { type AdminRig, type Client, startAdminRig } from '../admin-rig.ts'
import { CLIENT_ID, CLIENT_SECRET, type PersonName } from './identity-server.ts'

/** The callback as browsers know it. The tests call the server behind the proxy. */
export const REDIRECT_URI = 'https://push.example.com/admin/oidc/callback'

interface OtherOptions {
  http_server?: object
  admin?: object
}

/** Starts the web UI. @param oidc options that replace those of the tests */
export function startOidcRig(issuer: string, oidc: object = {}, more: OtherOptions = {}): Promise<AdminRig> {
  return startAdminRig({
    http_server: { trusted_proxies: ['127.0.0.1/32'], ...more.http_server },
    admin: {
      ...more.admin,
      oidc: {
        enabled: true,
        display_name: 'Keycloak',
        issuer,
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        redirect_uri: REDIRECT_URI,
        extra_scopes: ['email', 'groups'],
        access_cel: "'push-admins' in claims.groups",
        viewer_access_cel: "'staff' in claims.groups",
        ...oidc,
      },
    },
  })
}

/** Begins a login. Resolves to the URL at the identity server. */
export async function begin(client: Client, next = '', headers = {}): Promise<URL> {
  const answer = await client.get(`/oidc/login?next=${encodeURIComponent(next)}`, headers)
  if (answer.status !== 303) throw new Error(`the login did not begin: ${answer.status}`)
  return new URL(answer.headers.get('location') ?? '')
}

/** Logs in at the identity server. Resolves to the URL of the callback. */
export async function answerAs(url: URL, person: PersonName | 'nobody'): Promise<URL> {
  const cookies = new Map<string, string>()
  let at = url
  for (let step = 0; step < 10; step++) {
    if (at.pathname === new URL(REDIRECT_URI).pathname) {
      const code = at.searchParams.get('code')
      if (code !== null) noteSecrets([code])
      return at
    }
    if (at.pathname.startsWith('/who/')) at.searchParams.set('person', person)
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(at, { redirect: 'manual', headers: { cookie } })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    const location = answer.headers.get('location')
    if (location === null) throw new Error(`the identity server answered ${answer.status}: ${await answer.text()}`)
    at = new URL(location, at)
  }
  throw new Error('too many redirects')
}

/** Calls the callback as the browser does, from another site. */
export function callBack(client: Client, url: URL, headers = {}): Promise<Response> {
  return client.get(url.pathname.replace(/^\/admin/, '') + url.search, { 'sec-fetch-site': 'cross-site', ...headers })
}

/** A whole login. */
export async function logIn(client: Client, person: PersonName | 'nobody', next = '', headers = {}): Promise<Response> {
  return callBack(client, await answerAs(await begin(client, next, headers), person), headers)
}
