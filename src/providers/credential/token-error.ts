const CAUSES = {
  oauth_refused: 'the OAuth endpoint refused the account or its secret; check the credential in the configuration',
  credential_unusable: 'the credential could not be used here; no service was asked',
  oauth_unavailable: 'the OAuth endpoint sent no usable answer; it is asked again',
  credential_cache_unavailable: 'the credential cache of all workers could not be used; it is tried again',
}

/** Why no token could be obtained. It is also the reason of the targets' outcomes. */
export type TokenErrorReason = keyof typeof CAUSES

/**
 * No token could be obtained. Errors of an OAuth endpoint are not kept as `cause`, because they could quote the secret.
 */
export class TokenError extends Error {
  override readonly name = 'TokenError'
  readonly reason: TokenErrorReason
  /** The cause as a code: of Node, such as `ECONNREFUSED`, or `timeout`, or `HTTP_<status>`. */
  readonly detail: string | undefined

  constructor(reason: TokenErrorReason, { detail, ...options }: ErrorOptions & { detail?: string } = {}) {
    super(`no token for the provider: ${CAUSES[reason]}`, options)
    this.reason = reason
    this.detail = detail
  }
}
