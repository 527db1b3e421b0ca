// Huawei's simulated OAuth endpoint for apps (client credentials): an access token for the id and secret of an app.
import { randomBytes } from 'node:crypto'
import { type Answer, jsonAnswer } from '../answer.ts'

/** Issues and checks access tokens. */
export class SimulatedAccessTokens {
  readonly #app: { id: string; secret: string }
  readonly #lifeSeconds: number
  readonly #endsAtMs = new Map<string, number>()
  #isAppDisabled = false
  /** The number of requests for a token, refused ones included. */
  requests = 0

  constructor(deps: { app: { id: string; secret: string }; lifeSeconds: number }) {
    this.#app = deps.app
    this.#lifeSeconds = deps.lifeSeconds
  }

  /** Answers a request for a token, POST /oauth2/v3/token. @param form the body of the request */
  exchange(form: string): Answer {
    this.requests++
    const params = new URLSearchParams(form)
    if (params.get('grant_type') !== 'client_credentials') return refuse(20_001, 'invalid grant_type')
    const { id, secret } = this.#app
    const isOurs = params.get('client_id') === id && params.get('client_secret') === secret
    if (!isOurs || this.#isAppDisabled) return refuse(20_044, 'invalid client')
    // The token contains slashes, as Huawei's tokens do; Huawei's JSON escapes them.
    const accessToken = `simulated/${randomBytes(24).toString('base64')}`
    this.#endsAtMs.set(accessToken, Date.now() + this.#lifeSeconds * 1000)
    return jsonAnswer(200, { access_token: accessToken, expires_in: this.#lifeSeconds, token_type: 'Bearer' })
  }

  /** The error code for a refused Authorization header; undefined if its token is valid. */
  refusalOf(authorization: string | undefined): '80200001' | '80200003' | undefined {
    const endsAtMs = this.#endsAtMs.get(authorization?.replace(/^Bearer /, '') ?? '')
    if (endsAtMs === undefined) return '80200001'
    return Date.now() < endsAtMs ? undefined : '80200003'
  }

  /** Refuses all access tokens that were issued before this call. */
  revokeAll(): void {
    this.#endsAtMs.clear()
  }

  /** Disables the app, or enables it again. While it is disabled, all tokens are refused and none is issued. */
  setAppDisabled(isDisabled: boolean): void {
    this.#isAppDisabled = isDisabled
    if (isDisabled) this.revokeAll()
  }
}

function refuse(subError: number, description: string): Answer {
  return jsonAnswer(400, { error: 1101, sub_error: subError, error_description: description })
}
