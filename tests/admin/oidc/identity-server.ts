// A real OpenID provider (node-oidc-provider) with a page that asks who is there, in place of a password.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { Provider } from 'oidc-provider'
import { noteSecrets } from '../../support/run-log.ts'

export const CLIENT_ID = 'centripush'
export const CLIENT_SECRET = 'secret-of-the-oidc-client'

/** The people of the identity server, with their groups. */
export const PEOPLE = {
  ada: { email: 'ada@example.com', groups: ['push-admins', 'staff'] },
  grace: { email: 'grace@example.com', groups: ['staff'] },
  mallory: { email: 'mallory@example.com', groups: ['visitors'] },
} as const

/** The name of a person. */
export type PersonName = keyof typeof PEOPLE

export interface IdentityServer {
  issuer: string
  stop(): Promise<void>
}

/** Starts the identity server. Its client needs PKCE and its secret, and has these redirect URIs. */
export async function startIdentityServer(redirectUris: readonly string[]): Promise<IdentityServer> {
  noteSecrets([CLIENT_SECRET])
  const http = createServer()
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  // The address is the one that the server listens on.
  const { port } = http.address() as AddressInfo
  const issuer = `http://127.0.0.1:${port}`
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const provider = makeProvider(issuer, redirectUris, await exportJWK(privateKey))
  const answer = provider.callback()
  http.on('request', (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', issuer)
    if (!pathname.startsWith('/who/')) {
      answer(request, response)
      return
    }
    const person = searchParams.get('person')
    if (person === null) {
      const links = Object.keys(PEOPLE).map((name) => `<p><a href="${pathname}?person=${name}">I am ${name}</a></p>`)
      response
        .setHeader('content-type', 'text/html')
        .end(`<link rel="icon" href="data:,"><h1>Who are you?</h1>${links.join('')}`)
      return
    }
    const result = person === 'nobody' ? { error: 'access_denied' } : { login: { accountId: person } }
    provider.interactionFinished(request, response, result).catch(() => response.destroy())
  })
  return {
    issuer,
    async stop() {
      http.closeAllConnections()
      http.close()
      await once(http, 'close')
    },
  }
}

function makeProvider(issuer: string, redirectUris: readonly string[], key: JWK): Provider {
  return new Provider(issuer, {
    clients: [{ client_id: CLIENT_ID, client_secret: CLIENT_SECRET, redirect_uris: [...redirectUris] }],
    jwks: { keys: [{ ...key, alg: 'RS256', use: 'sig' }] },
    ttl: { AccessToken: 600, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    pkce: { required: () => true },
    claims: { openid: ['sub'], email: ['email'], groups: ['groups'] },
    cookies: { keys: ['key of the cookies of the identity server'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, { uid }) => `/who/${uid}` },
    findAccount: (_context, id) =>
      isPerson(id)
        ? { accountId: id, claims: () => ({ sub: id, ...PEOPLE[id], groups: [...PEOPLE[id].groups] }) }
        : undefined,
    // People are not asked whether the web UI may know them.
    async loadExistingGrant({ oidc }) {
      const { client, session } = oidc
      if (!client || !session?.accountId) return undefined
      const grant = new oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId })
      grant.addOIDCScope('openid email groups')
      await grant.save()
      return grant
    },
  })
}

function isPerson(name: string): name is PersonName {
  return Object.hasOwn(PEOPLE, name)
}
