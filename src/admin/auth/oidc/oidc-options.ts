/** The identity provider, and the rights of its people. */
export interface OidcOptions {
  /** The name of the identity provider for people. */
  displayName: string
  issuer: string
  clientId: string
  /** Empty: a public client. */
  clientSecret: string
  /** An audience that the ID token must have besides `clientId`; empty for none. */
  audience: string
  /** The URL of the callback for browsers. */
  redirectUri: string
  extraScopes: readonly string[]
  /** Who is an administrator, in CEL. */
  adminRule: string
  /** Who is a viewer, in CEL; undefined: nobody. */
  viewerRule: string | undefined
}
