// The simulated OAuth exchange of Google for service accounts (RFC 7523): an access token for a signed assertion.
import { randomBytes } from 'node:crypto'
import { importSPKI, jwtVerify } from 'jose'
import * as v from 'valibot'
import { type Answer, jsonAnswer } from '../answer.ts'
import type { SimulatedServiceAccount } from './service-account.ts'

const AUDIENCE = 'https://oauth2.googleapis.com/token'
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
/** An assertion must name one of these scopes, otherwise its access token does not allow to send. */
const SCOPES = ['https://www.googleapis.com/auth/firebase.messaging', 'https://www.googleapis.com/auth/cloud-platform']
/** The longest validity of an assertion; Google refuses a longer one. */
const MAX_ASSERTION_SECONDS = 3600

const ClaimsSchema = v.object({ iss: v.string(), scope: v.string(), iat: v.number(), exp: v.number() })

/** Issues and checks access tokens. */
export class TokenExchange {
  readonly #account: SimulatedServiceAccount
  readonly #lifeSeconds: number
  readonly #endsAtMs = new Map<string, number>()
  #isAccountDisabled = false
  /** The number of requests for an access token, refused ones included. */
  requests = 0

  constructor(deps: { account: SimulatedServiceAccount; lifeSeconds: number }) {
    this.#account = deps.account
    this.#lifeSeconds = deps.lifeSeconds
  }

  /** Answers an exchange, POST /token. @param form the body of the request */
  async exchange(form: string): Promise<Answer> {
    this.requests++
    const params = new URLSearchParams(form)
    if (params.get('grant_type') !== GRANT_TYPE) return refuse('unsupported_grant_type', 'unknown grant type')
    const problem = await this.#checkAssertion(params.get('assertion') ?? '')
    if (problem) return refuse('invalid_grant', problem)
    if (this.#isAccountDisabled) return refuse('invalid_grant', 'account disabled')
    const accessToken = `simulated.${randomBytes(24).toString('base64url')}`
    this.#endsAtMs.set(accessToken, Date.now() + this.#lifeSeconds * 1000)
    return jsonAnswer(200, { access_token: accessToken, expires_in: this.#lifeSeconds, token_type: 'Bearer' })
  }

  /** Whether the Authorization header has an access token that was issued and is neither revoked nor expired. */
  accepts(authorization: string | undefined): boolean {
    const endsAtMs = this.#endsAtMs.get(authorization?.replace(/^Bearer /, '') ?? '')
    return endsAtMs !== undefined && Date.now() < endsAtMs
  }

  /** Refuses all access tokens that were issued before this call. */
  revokeAll(): void {
    this.#endsAtMs.clear()
  }

  /**
   * Disables the service account, or enables it again. While it is disabled, all tokens are refused and none is issued.
   */
  setAccountDisabled(isDisabled: boolean): void {
    this.#isAccountDisabled = isDisabled
    if (isDisabled) this.revokeAll()
  }

  async #checkAssertion(assertion: string): Promise<string | undefined> {
    try {
      const key = await importSPKI(this.#account.publicKeyPem, 'RS256')
      const options = { algorithms: ['RS256'], issuer: this.#account.clientEmail, audience: AUDIENCE }
      const claims = v.parse(ClaimsSchema, (await jwtVerify(assertion, key, options)).payload)
      if (claims.exp - claims.iat > MAX_ASSERTION_SECONDS) return 'the assertion holds too long'
      if (!claims.scope.split(' ').some((scope) => SCOPES.includes(scope))) return 'no scope for messaging'
      return undefined
    } catch {
      // Google gives this text for a wrong signature, wrong claims and a malformed assertion alike.
      return 'Invalid JWT Signature.'
    }
  }
}

function refuse(error: string, description: string): Answer {
  return jsonAnswer(400, { error, error_description: description })
}
