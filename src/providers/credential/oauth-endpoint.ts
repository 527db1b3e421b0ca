// The client side of an OAuth token endpoint (RFC 6749): it posts a form and gets an access token.

import { Agent, request } from 'undici'
import * as v from 'valibot'
import { trustedAuthorities } from '../../http2/trusted-authorities.ts'
import { parseJsonOrUndefined } from '../../json/parse-or-undefined.ts'
import type { AccessTokenGrant } from './access-token.ts'
import { TokenError } from './token-error.ts'

/** How long to wait for an answer, in ms. Google answers within a second, Huawei within five. */
const TIMEOUT_MS = 10_000
/** The most bytes of an answer that are read. A grant has one or two thousand bytes. */
const MAX_ANSWER_BYTES = 64 * 1024

const GrantSchema = v.object({
  access_token: v.pipe(v.string(), v.regex(/^[\x21-\x7e]+$/)),
  expires_in: v.pipe(v.number(), v.minValue(1)),
})

/** One OAuth token endpoint, with its own HTTP connections. */
export class OAuthEndpoint {
  readonly #url: URL
  readonly #agent: Agent

  /** @param deps.ca a certificate authority (PEM) that is trusted besides the built-in ones */
  constructor(deps: { url: string; ca: string | undefined }) {
    this.#url = new URL(deps.url)
    const ca = trustedAuthorities(deps.ca)
    this.#agent = new Agent({
      maxResponseSize: MAX_ANSWER_BYTES,
      connect: { minVersion: 'TLSv1.2', ...(ca && { ca }) },
    })
  }

  /** Posts the form of a grant and returns the new access token. @throws TokenError */
  async requestGrant(form: Record<string, string>): Promise<AccessTokenGrant> {
    const { status, json } = await this.#post(new URLSearchParams(form).toString())
    // These statuses mean that the account, its key or the clock is wrong (RFC 6749 section 5.2). All other errors may
    // be temporary.
    if (status === 400 || status === 401 || status === 403) throw new TokenError('oauth_refused')
    const grant = v.safeParse(GrantSchema, json)
    if (status !== 200 || !grant.success) throw new TokenError('oauth_unavailable', { detail: `HTTP_${status}` })
    return { accessToken: grant.output.access_token, lifeMs: grant.output.expires_in * 1000 }
  }

  /** Closes all connections to the endpoint. */
  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #post(form: string): Promise<{ status: number; json: unknown }> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    try {
      const options = { method: 'POST', headers, body: form, signal, dispatcher: this.#agent } as const
      const { statusCode, body } = await request(this.#url, options)
      return { status: statusCode, json: parseJsonOrUndefined(await body.text()) }
    } catch (error) {
      // An error of the network or of TLS, or a time-out. Only the code is kept, because the rest could quote the form.
      throw new TokenError('oauth_unavailable', { detail: codeOf(error) })
    }
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  if ('code' in error && typeof error.code === 'string') return error.code
  return error.name === 'TimeoutError' ? 'timeout' : error.name
}
