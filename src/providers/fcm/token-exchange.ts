// Google's OAuth exchange for service accounts (RFC 7523, https://developers.google.com/identity/protocols/oauth2/service-account):
// an assertion signed with the account's key goes out, an access token comes back. docs/decisions/0003 says why it is here.
import { importPKCS8, SignJWT } from 'jose'
import type { AccessTokenGrant } from '../credential/access-token.ts'
import { OAuthEndpoint } from '../credential/oauth-endpoint.ts'
import { TokenError } from '../credential/token-error.ts'
import type { ServiceAccount } from './service-account.ts'

/** Who the assertion is for: always Google, also where a private endpoint takes it. */
const AUDIENCE = 'https://oauth2.googleapis.com/token'
const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging'
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
/** The longest that Google allows, which leaves clocks room to differ. */
const ASSERTION_LIFE_SECONDS = 3600

export class TokenExchange {
  readonly #account: ServiceAccount
  readonly #endpoint: OAuthEndpoint

  /** `ca`: an authority (PEM) to trust besides the built-in ones. */
  constructor(deps: { serviceAccount: ServiceAccount; authEndpoint: string; ca: string | undefined }) {
    this.#account = deps.serviceAccount
    this.#endpoint = new OAuthEndpoint({ url: `${deps.authEndpoint.replace(/\/+$/, '')}/token`, ca: deps.ca })
  }

  /** Gets a new token. @throws TokenError */
  async exchange(nowMs: number): Promise<AccessTokenGrant> {
    const assertion = await this.#signAssertion(nowMs)
    return this.#endpoint.requestGrant({ grant_type: GRANT_TYPE, assertion })
  }

  async close(): Promise<void> {
    await this.#endpoint.close()
  }

  async #signAssertion(nowMs: number): Promise<string> {
    const iat = Math.floor(nowMs / 1000)
    const claims = {
      iss: this.#account.clientEmail,
      scope: SCOPE,
      aud: AUDIENCE,
      iat,
      exp: iat + ASSERTION_LIFE_SECONDS,
    }
    try {
      const key = await importPKCS8(this.#account.privateKeyPem, 'RS256')
      return await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', typ: 'JWT' }).sign(key)
    } catch {
      // A key that signs nothing is as good as one that Google refuses. The error may quote it and is not passed on.
      throw new TokenError('oauth_refused')
    }
  }
}
