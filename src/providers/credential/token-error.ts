const CAUSES = {
  oauth_refused: 'the OAuth endpoint refused the account or its secret; check the credential in the configuration',
  oauth_unavailable: 'the OAuth endpoint sent no usable answer; it is asked again',
  credential_cache_unavailable: 'the credential cache of all workers could not be used; it is tried again',
}

/** Why there is no token; also the reason of the outcomes that follow from it. */
export type TokenErrorReason = keyof typeof CAUSES

/** No token could be obtained. Errors of OAuth have no `cause`, because it could quote the secret. */
export class TokenError extends Error {
  override readonly name = 'TokenError'
  readonly reason: TokenErrorReason

  constructor(reason: TokenErrorReason, options?: ErrorOptions) {
    super(`no token for the provider: ${CAUSES[reason]}`, options)
    this.reason = reason
  }
}
