// Google's OAuth exchange for service accounts (RFC 7523, https://developers.google.com/identity/protocols/oauth2/service-account):
// an assertion signed with the account's key goes out, an access token comes back. docs/decisions/0003 says why it is here.
import { importPKCS8, SignJWT } from 'jose'
import { Agent, request } from 'undici'
import * as v from 'valibot'
import { trustedAuthorities } from '../../http2/trusted-authorities.ts'
import type { ServiceAccount } from './service-account.ts'

/** Who the assertion is for: always Google, also where a private endpoint takes it. */
const AUDIENCE = 'https://oauth2.googleapis.com/token'
const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging'
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
/** The longest that Google allows, which leaves clocks room to differ. */
const ASSERTION_LIFE_SECONDS = 3600
/** Google answers within a second. */
const TIMEOUT_MS = 10_000

const GrantSchema = v.object({
  access_token: v.pipe(v.string(), v.regex(/^[\x21-\x7e]+$/)),
  expires_in: v.pipe(v.number(), v.minValue(1)),
})

export interface AccessTokenGrant {
  accessToken: string
  lifeMs: number
}

/** `refused`: Google does not accept the account or its key. `unavailable`: no usable answer, try again later. */
export type TokenExchangeErrorKind = 'refused' | 'unavailable'

/** There is no access token. No cause is kept: it might quote the assertion. */
export class TokenExchangeError extends Error {
  override readonly name = 'TokenExchangeError'
  readonly kind: TokenExchangeErrorKind

  constructor(kind: TokenExchangeErrorKind) {
    super(`no access token: ${kind}`)
    this.kind = kind
  }
}

export class TokenExchange {
  readonly #account: ServiceAccount
  readonly #url: URL
  readonly #agent: Agent

  /** `ca`: an authority (PEM) to trust besides the built-in ones. */
  constructor(deps: { serviceAccount: ServiceAccount; authEndpoint: string; ca: string | undefined }) {
    this.#account = deps.serviceAccount
    this.#url = new URL(`${deps.authEndpoint.replace(/\/+$/, '')}/token`)
    const ca = trustedAuthorities(deps.ca)
    this.#agent = new Agent({ connect: { minVersion: 'TLSv1.2', ...(ca && { ca }) } })
  }

  /** Gets a new token. @throws TokenExchangeError */
  async exchange(nowMs: number): Promise<AccessTokenGrant> {
    const assertion = await this.#signAssertion(nowMs)
    const { status, json } = await this.#post(new URLSearchParams({ grant_type: GRANT_TYPE, assertion }).toString())
    // RFC 6749 section 5.2: these are about the account, its key, or the clock. Anything else may pass.
    if (status === 400 || status === 401 || status === 403) throw new TokenExchangeError('refused')
    const grant = v.safeParse(GrantSchema, json)
    if (status !== 200 || !grant.success) throw new TokenExchangeError('unavailable')
    return { accessToken: grant.output.access_token, lifeMs: grant.output.expires_in * 1000 }
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
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
      throw new TokenExchangeError('refused')
    }
  }

  async #post(form: string): Promise<{ status: number; json: unknown }> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    try {
      const options = { method: 'POST', headers, body: form, signal, dispatcher: this.#agent } as const
      const { statusCode, body } = await request(this.#url, options)
      return { status: statusCode, json: parseJson(await body.text()) }
    } catch {
      // Network, TLS and time-outs: all of them are "try again later".
      throw new TokenExchangeError('unavailable')
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
