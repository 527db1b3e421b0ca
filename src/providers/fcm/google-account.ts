// Credentials without a key file: many organisations forbid key files. google-auth-library finds and exchanges them
// (https://cloud.google.com/docs/authentication/application-default-credentials): the metadata server of Google Cloud,
// workload identity federation, impersonation, and the file of gcloud.
import { globalAgent } from 'node:http'
import { Agent } from 'node:https'
import * as v from 'valibot'
import { trustedAuthorities } from '../../http2/trusted-authorities.ts'
import { DeadlineError, withDeadline } from '../../timing/deadline.ts'
import type { AccessTokenGrant } from '../credential/access-token.ts'
import { TokenError } from '../credential/token-error.ts'
import { FcmCredentialError } from './service-account.ts'

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging'
/** In ms. A federated token needs up to three requests. */
const TIMEOUT_MS = 20_000
/** The assumed life of a token without one, in ms. */
const UNKNOWN_LIFE_MS = 5 * 60_000

/** A credential that google-auth-library exchanges. */
export interface GoogleAccount {
  projectId: string
  /** The JSON of the credential; undefined for application default credentials. */
  credentials: GoogleCredentials | undefined
}

const text = v.pipe(v.string(), v.nonEmpty())

/** The kinds of credentials, and the fields that each needs. */
const GoogleCredentialsSchema = v.variant('type', [
  v.looseObject({ type: v.literal('authorized_user'), client_id: text, client_secret: text, refresh_token: text }),
  v.looseObject({
    type: v.literal('external_account'),
    audience: text,
    subject_token_type: text,
    token_url: text,
    credential_source: v.looseObject({}),
  }),
  v.looseObject({ type: v.literal('external_account_authorized_user'), client_id: text, refresh_token: text }),
  v.looseObject({
    type: v.literal('impersonated_service_account'),
    service_account_impersonation_url: text,
    source_credentials: v.looseObject({ type: text }),
  }),
])
export type GoogleCredentials = v.InferOutput<typeof GoogleCredentialsSchema>

/** The types of credentials that readGoogleCredentials() takes. */
export const GOOGLE_TYPES: ReadonlySet<unknown> = new Set(
  GoogleCredentialsSchema.options.map(({ entries }) => entries.type.literal),
)

/** Reads the JSON of a credential without a key. @throws FcmCredentialError that names the missing fields */
export function readGoogleCredentials(json: object): GoogleCredentials {
  const result = v.safeParse(GoogleCredentialsSchema, json)
  if (result.success) return result.output
  const fields = new Set(result.issues.map((issue) => v.getDotPath(issue) ?? '(root)'))
  throw new FcmCredentialError(`fields missing or not valid: ${[...fields].join(', ')}`)
}

interface Deps {
  account: GoogleAccount
  /** Where a refresh token of a user is exchanged, `https://host[:port][/path]`. */
  authEndpoint: string
  /** A certificate authority (PEM) that is trusted besides the built-in ones. */
  ca: string | undefined
}

/** Gets the access tokens of a credential without a key. */
export class GoogleTokens {
  readonly #deps: Deps
  readonly #agent: Agent | undefined

  constructor(deps: Deps) {
    this.#deps = deps
    const ca = trustedAuthorities(deps.ca)
    this.#agent = ca && new Agent({ ca })
  }

  /** Gets a new access token. @throws TokenError */
  async exchange(): Promise<AccessTokenGrant> {
    const { gaxios } = await loadLibrary()
    try {
      const client = await this.#openClient()
      const { token } = await withDeadline(client.getAccessToken(), TIMEOUT_MS)
      if (!token) throw new TokenError('oauth_unavailable', { detail: 'no_token' })
      const { expiry_date: endsAtMs } = client.credentials
      return { accessToken: token, lifeMs: endsAtMs ? endsAtMs - Date.now() : UNKNOWN_LIFE_MS }
    } catch (error) {
      if (error instanceof TokenError) throw error
      throw error instanceof gaxios.GaxiosError ? explainAnswer(error) : explainFailure(error)
    }
  }

  /**
   * Finds the credential and reads its files, without a request to Google.
   * @returns the project that pays for the requests of a user; undefined for other credentials
   * @throws FcmCredentialError
   */
  async prove(): Promise<string | undefined> {
    try {
      return (await this.#openClient()).quotaProjectId ?? undefined
    } catch (error) {
      // These errors of the library name files and quote nothing of them.
      throw new FcmCredentialError(error instanceof Error ? error.message : 'unknown')
    }
  }

  async close(): Promise<void> {
    this.#agent?.destroy()
  }

  /** Each token has a client of its own: a client would return a refused token again. */
  async #openClient() {
    const { account, authEndpoint } = this.#deps
    const { GoogleAuth, gcpMetadata } = await loadLibrary()
    // The library remembers for ever that there is no metadata server, which on a new machine may only be late.
    gcpMetadata.resetIsAvailableCache()
    const agent = this.#agent
    return await new GoogleAuth({
      scopes: SCOPE,
      projectId: account.projectId,
      ...(account.credentials && { credentials: account.credentials }),
      clientOptions: {
        endpoints: { oauth2TokenUrl: `${authEndpoint.replace(/\/+$/, '')}/token` },
        ...(agent && {
          transporterOptions: { agent: ({ protocol }: URL) => (protocol === 'https:' ? agent : globalAgent) },
        }),
      },
    }).getClient()
  }
}

/** Statuses that mean that the credential is wrong, as for a service account (RFC 6749 section 5.2). */
const REFUSED: ReadonlySet<unknown> = new Set([400, 401, 403])

/** The error of the library is not kept: it contains the request with its secrets. */
function explainAnswer({ status, code }: { status?: number; code?: string | number }): TokenError {
  if (REFUSED.has(status)) return new TokenError('oauth_refused')
  return new TokenError('oauth_unavailable', { detail: status ? `HTTP_${status}` : String(code ?? 'unknown') })
}

/** No service has answered: the time was over, or the credential or a file of it can not be used here. */
function explainFailure(error: unknown): TokenError {
  if (error instanceof DeadlineError) return new TokenError('oauth_unavailable', { detail: 'timeout' })
  return new TokenError('credential_unusable')
}

/** Loaded only by processes that need it, because it is large. */
function loadLibrary() {
  return import('google-auth-library')
}
