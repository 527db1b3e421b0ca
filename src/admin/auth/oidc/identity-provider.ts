// OpenID Connect at one identity provider: the authorization code flow with PKCE, by a client on the server.
import * as client from 'openid-client'
import type { Claims } from '../../../config/claims-expression.ts'
import type { OidcOptions } from './oidc-options.ts'
import type { PendingLogin } from './pending-login.ts'

const TIMEOUT_SECONDS = 10
/** The endpoints of the identity provider are read again after this time. */
const METADATA_MS = 3_600_000

/** Thrown if the ID token is not for us. */
export class AudienceError extends Error {
  override readonly name = 'AudienceError'
}

/** Logs people in at the identity provider. All methods reject with errors of openid-client. */
export class IdentityProvider {
  readonly #options: OidcOptions
  readonly #now: () => number
  #discovery: { atMs: number; found: Promise<client.Configuration> } | undefined

  /** @param now Unix time in ms */
  constructor(options: OidcOptions, now: () => number) {
    this.#options = options
    this.#now = now
  }

  /** Begins a login. Resolves to it and to the URL at the identity provider. */
  async begin(next: string): Promise<{ login: PendingLogin; url: URL }> {
    const configuration = await this.#discover()
    const login = {
      state: client.randomState(),
      nonce: client.randomNonce(),
      codeVerifier: client.randomPKCECodeVerifier(),
      next,
    }
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: this.#options.redirectUri,
      scope: [...new Set(['openid', ...this.#options.extraScopes])].join(' '),
      state: login.state,
      nonce: login.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(login.codeVerifier),
      code_challenge_method: 'S256',
    })
    return { login, url }
  }

  /**
   * Ends a login. Checks the answer of the identity provider, exchanges its code, and verifies the ID token. Resolves to
   * the claims of the person; those of the ID token are preferred to those of the userinfo endpoint.
   * @param search the query of the callback
   * @throws AudienceError if the ID token lacks `audience`
   */
  async finish(login: PendingLogin, search: string): Promise<Claims> {
    const configuration = await this.#discover()
    // Behind a proxy the URL of the request is not the one that the browser has called.
    const answered = new URL(this.#options.redirectUri)
    answered.search = search
    const tokens = await client.authorizationCodeGrant(configuration, answered, {
      expectedState: login.state,
      expectedNonce: login.nonce,
      pkceCodeVerifier: login.codeVerifier,
      idTokenExpected: true,
    })
    const claims = tokens.claims()
    if (claims === undefined) throw new AudienceError('the answer has no ID token')
    this.#checkAudience(claims.aud)
    if (configuration.serverMetadata().userinfo_endpoint === undefined) return claims
    return { ...(await client.fetchUserInfo(configuration, tokens.access_token, claims.sub)), ...claims }
  }

  #checkAudience(given: string | string[]): void {
    const { audience } = this.#options
    if (audience === '' || [given].flat().includes(audience)) return
    throw new AudienceError('the ID token does not have the audience of admin.oidc.audience')
  }

  /** The endpoints, which are read once for all logins that need them. A failed reading is repeated by the next login. */
  #discover(): Promise<client.Configuration> {
    const nowMs = this.#now()
    if (this.#discovery && nowMs - this.#discovery.atMs < METADATA_MS) return this.#discovery.found
    const { issuer, clientId, clientSecret } = this.#options
    const server = new URL(issuer)
    const found = client.discovery(server, clientId, {}, chooseAuthentication(clientSecret), {
      timeout: TIMEOUT_SECONDS,
      execute: [
        // The configuration admits http:// only on a loopback address.
        ...(server.protocol === 'http:' ? [client.allowInsecureRequests] : []),
        // Verifies the signature of the ID token too; TLS alone would be enough for OpenID Connect Core 3.1.3.7.
        client.enableNonRepudiationChecks,
      ],
    })
    const discovery = { atMs: nowMs, found }
    this.#discovery = discovery
    found.catch(() => {
      if (this.#discovery === discovery) this.#discovery = undefined
    })
    return found
  }
}

/** `client_secret_basic` is the default of RFC 8414 section 2, and known to all identity providers but a few. */
function chooseAuthentication(secret: string): client.ClientAuth {
  if (secret === '') return client.None()
  const [basic, post] = [client.ClientSecretBasic(secret), client.ClientSecretPost(secret)]
  return (server, ...rest) => {
    const { token_endpoint_auth_methods_supported: methods } = server
    const isBasic = methods === undefined || methods.includes('client_secret_basic')
    return (isBasic ? basic : post)(server, ...rest)
  }
}
