// An OpenID provider that is under the control of an attacker, or broken: a test chooses the parts of its answers.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { CLIENT_ID } from './identity-server.ts'

/** The parts of the answer of the token endpoint. */
export interface Forgery {
  /** Replaces claims of the ID token; undefined leaves a claim out. */
  claims?: Readonly<Record<string, unknown>>
  /** Makes the ID token from its claims. Undefined: signed with the key of the server. */
  sign?(claims: JWTPayload): string | Promise<string>
  /** The answer of the token endpoint instead of tokens. */
  error?: { status: number; body: object }
  /** Replaces members of the metadata. */
  metadata?: object
}

export interface ForgingServer {
  issuer: string
  /** The answer to the next logins. */
  forgery: Forgery
  /** The bodies of the requests to the token endpoint. */
  exchanges: URLSearchParams[]
  /** The code that the token endpoint accepts, for the nonce of a login. */
  allow(nonce: string): void
  stop(): Promise<void>
}

/** Starts the server. */
export async function startForgingServer(): Promise<ForgingServer> {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), alg: 'RS256', use: 'sig', kid: 'key' }] }
  let nonce = ''
  const http = createServer((request, response) => void answer(request, response))
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  const issuer = `http://127.0.0.1:${port}`
  const server: ForgingServer = {
    issuer,
    forgery: {},
    exchanges: [],
    allow: (expected) => {
      nonce = expected
    },
    async stop() {
      http.closeAllConnections()
      http.close()
      await once(http, 'close')
    },
  }

  const makeToken = async () => {
    const seconds = Math.floor(Date.now() / 1000)
    const usual = {
      iss: issuer,
      aud: CLIENT_ID,
      sub: 'ada',
      groups: ['push-admins'],
      nonce,
      iat: seconds,
      exp: seconds + 60,
    }
    const claims: JWTPayload = { ...usual, ...server.forgery.claims }
    for (const [name, value] of Object.entries(claims)) if (value === undefined) delete claims[name]
    if (server.forgery.sign) return server.forgery.sign(claims)
    return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'key' }).sign(privateKey)
  }

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const json = (body: object, status = 200) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    switch (request.url) {
      case '/.well-known/openid-configuration':
        return json({
          issuer,
          authorization_endpoint: `${issuer}/auth`,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/jwks`,
          id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
          authorization_response_iss_parameter_supported: true,
          ...server.forgery.metadata,
        })
      case '/jwks':
        return json(jwks)
      default: {
        server.exchanges.push(new URLSearchParams(await text(request)))
        const { error } = server.forgery
        if (error) return json(error.body, error.status)
        return json({ access_token: 'access', token_type: 'bearer', id_token: await makeToken() })
      }
    }
  }
  return server
}
