import * as v from 'valibot'
import { described, secret, section } from '../option.ts'
import { flag, text } from '../values.ts'
import { adminOidc } from './admin-oidc.ts'

/** The section of the admin web UI. Its keys are those of Centrifugo, and `viewer_password`. */
export const admin = section({
  enabled: described(
    v.optional(flag),
    'Serves the admin web UI. Absent: only when centripush made the API key itself and listens on a loopback ' +
      'address; the start then prints a link that logs in once.',
  ),
  password: described(
    v.optional(secret(text), ''),
    'The password of administrators. Needed when `enabled` is true, unless `oidc.enabled` is. Empty: nobody logs in by password.',
  ),
  viewer_password: described(
    v.optional(secret(text), ''),
    'The password of viewers, who see all pages and change nothing. Empty: there are no viewers.',
  ),
  secret: described(
    v.optional(secret(text), ''),
    'The key that signs sessions, at least 16 random characters. Needed when `enabled` is true. All servers behind ' +
      'one address need the same. A change ends all sessions, and so does a change of a password or of `oidc`.',
  ),
  insecure: described(
    v.optional(flag, false),
    'Makes everyone an administrator, without a password. Use it only when untrusted clients can’t reach the port.',
  ),
  oidc: described(v.optional(adminOidc, {}), 'Login by OpenID Connect, beside the passwords or instead of them.'),
  handler_prefix: described(
    v.optional(text, ''),
    'The path before `/admin`, under which the web UI is served. It must not be that of ' +
      '`upstream.admin_handler_prefix`, where the web UI of the node is, nor `client_push.http_handler_prefix`.',
  ),
  external: described(
    v.optional(flag, false),
    'Serves the web UI on the external port too when there is an internal port.',
  ),
})
