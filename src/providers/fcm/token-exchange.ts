// Google's OAuth exchange for service accounts
// (RFC 7523, https://developers.google.com/identity/protocols/oauth2/service-account): an assertion that is signed with
// the key of the account is exchanged for an access token. docs/decisions/0003 explains why no library is used for it.
import { importPKCS8, SignJWT } from 'jose'
import type { AccessTokenGrant } from '../credential/access-token.ts'
import { OAuthEndpoint } from '../credential/oauth-endpoint.ts'
import { TokenError } from '../credential/token-error.ts'
import type { ServiceAccount } from './service-account.ts'

/** The audience in the assertion: always Google's endpoint, even if the configuration has another one. */
const AUDIENCE = 'https://oauth2.googleapis.com/token'
const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging'
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
/** How long an assertion is valid: the longest time that Google allows, so that differing clocks do no harm. */
const ASSERTION_LIFE_SECONDS = 3600

/** Exchanges the assertions of one service account for access tokens. */
export class TokenExchange {
  readonly #account: ServiceAccount
  readonly #endpoint: OAuthEndpoint

  /** @param deps.ca a certificate authority (PEM) that is trusted besides the built-in ones */
  constructor(deps: { serviceAccount: ServiceAccount; authEndpoint: string; ca: string | undefined }) {
    this.#account = deps.serviceAccount
    this.#endpoint = new OAuthEndpoint({ url: `${deps.authEndpoint.replace(/\/+$/, '')}/token`, ca: deps.ca })
  }

  /** Gets a new access token. @throws TokenError */
  async exchange(nowMs: number): Promise<AccessTokenGrant> {
    const assertion = await this.#signAssertion(nowMs)
    return this.#endpoint.requestGrant({ grant_type: GRANT_TYPE, assertion })
  }

  /** Closes all connections to the OAuth endpoint. */
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
      // The key cannot sign. The error is not passed on: it may quote the key.
      throw new TokenError('credential_unusable')
    }
  }
}
