import * as v from 'valibot'
import { claimsExpression } from '../claims-expression.ts'
import { described, secret, section } from '../option.ts'
import { filledText, flag, kindOf, list, text } from '../values.ts'

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/** A URL that secrets are sent to: only over TLS, or to the same machine. */
const trustedUrl = v.pipe(
  v.string('expected a URL that starts with https://'),
  kindOf<string>('https:// URL', { type: 'string' }),
  v.check(
    (value) => isTrusted(URL.parse(value)),
    (issue) => `expected a URL that starts with https://, or http:// on a loopback address, but found "${issue.input}"`,
  ),
)

function isTrusted(url: URL | null): boolean {
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.has(url.hostname))
}

const issuer = v.pipe(
  trustedUrl,
  // With the URL of the document, the issuer in it would not be compared with anything.
  v.check((value) => !value.includes('/.well-known/'), 'expected the issuer, which is the URL before /.well-known/'),
)

/** The section of the login by OpenID Connect. Its keys are those of Centrifugo PRO, and `viewer_access_cel`. */
export const adminOidc = section({
  enabled: described(v.optional(flag, false), 'People log in at an identity provider.'),
  display_name: described(v.optional(filledText), 'The name of the identity provider on the login page.'),
  issuer: described(
    v.optional(issuer),
    'The URL of the identity provider, as it is in its tokens. Its endpoints are read below it ' +
      '(`/.well-known/openid-configuration`).',
  ),
  client_id: described(v.optional(filledText), 'The id of centripush at the identity provider.'),
  client_secret: described(
    v.optional(secret(text), ''),
    'The secret of centripush at the identity provider. Empty: it is a public client there. PKCE is used in any case.',
  ),
  audience: described(
    v.optional(text, ''),
    'An audience that the ID token must have besides `client_id`. Empty: `client_id` only.',
  ),
  redirect_uri: described(
    v.optional(trustedUrl),
    'The URL to which the identity provider sends people back: the address of the web UI for browsers and ' +
      '`/oidc/callback`, for example `https://push.example.com/admin/oidc/callback`. It must be registered there.',
  ),
  extra_scopes: described(
    v.optional(list(v.string(), 'scopes'), []),
    'Scopes to request besides `openid`, for example `email` for names in the action log.',
  ),
  access_cel: described(
    v.optional(claimsExpression),
    'Who is an administrator: a CEL expression about `claims`, those of the ID token and of the userinfo endpoint, ' +
      'for example `"push-admins" in claims.groups`. `true` is everyone who can log in there.',
  ),
  viewer_access_cel: described(
    v.optional(claimsExpression),
    'Who is a viewer, in the same way, among those who are no administrators. Absent: there are no viewers.',
  ),
})
