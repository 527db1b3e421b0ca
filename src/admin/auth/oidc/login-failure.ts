// The reasons why a login failed at the identity provider. Errors of the client library have tokens and whole answers in
// their causes, so only these reasons are logged.
import * as client from 'openid-client'
import { reasonOf } from '../../../config/claims-expression.ts'
import { AudienceError } from './identity-provider.ts'

/** Why a login failed, for the log: what happened and what to do. */
export interface LoginFailure {
  reason: string
  /** The identity provider could not be used, so the person is not to blame. */
  isOutage: boolean
}

/** Advice for the error codes of OAuth (RFC 6749 sections 4.1.2.1 and 5.2). */
const ADVICE: Readonly<Record<string, string>> = {
  invalid_client: 'check admin.oidc.client_id and client_secret',
  unauthorized_client: 'allow the authorization code flow for this client at the identity provider',
  invalid_grant: 'the code was used before or is too old, or admin.oidc.redirect_uri is not the registered one',
  invalid_scope: 'check admin.oidc.extra_scopes',
  access_denied: 'the person or the identity provider has refused the login',
}

/** Finds the reason of an error of openid-client. It has no token. */
export function explainFailure(error: unknown): LoginFailure {
  if (error instanceof client.AuthorizationResponseError || error instanceof client.ResponseBodyError) {
    const advice = ADVICE[error.error] ?? 'its documentation has the meaning'
    return { reason: `the identity provider answered ${quote(error.error)}: ${advice}`, isOutage: false }
  }
  if (error instanceof client.WWWAuthenticateChallengeError) return refused('its userinfo endpoint refused the token')
  if (error instanceof AudienceError) return refused(error.message)
  if (!(error instanceof client.ClientError)) return { reason: describeNetwork(error), isOutage: true }
  switch (error.code) {
    case 'OAUTH_JWT_CLAIM_COMPARISON_FAILED':
      return refused(`the ID token is for another client, login or issuer: ${reasonOf(error.cause)}`)
    case 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED':
      return refused(`the ID token has expired, or a clock is wrong: ${reasonOf(error.cause)}`)
    case 'OAUTH_INVALID_RESPONSE':
    case 'OAUTH_KEY_SELECTION_FAILED':
    case 'OAUTH_UNSUPPORTED_OPERATION':
    case 'OAUTH_PARSE_ERROR':
      return refused(`the answer of the identity provider is not valid: ${reasonOf(error.cause)}`)
    case 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED':
      return outage('the identity provider has another issuer: check admin.oidc.issuer')
    case 'OAUTH_TIMEOUT':
      return outage('the identity provider did not answer in time')
    default:
      return outage(`the identity provider can not be used, check admin.oidc.issuer: ${error.message}`)
  }
}

function refused(reason: string): LoginFailure {
  return { reason, isOutage: false }
}

function outage(reason: string): LoginFailure {
  return { reason, isOutage: true }
}

function describeNetwork(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  // An error that stands for several attempts has a code and no text.
  const { code } = { code: undefined, ...(cause instanceof Error && cause) }
  return `the identity provider can not be reached: ${typeof code === 'string' ? code : reasonOf(cause)}`
}

/** A code in the answer of another server: only its usual characters. */
function quote(code: string): string {
  return /^[\w.-]{1,60}$/.test(code) ? code : 'with an unusual code'
}
