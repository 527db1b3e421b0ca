// The section `client` of a Centrifugo configuration, as far as centripush needs it: who its clients are.
import * as v from 'valibot'
import { described, secret, section } from '../option.ts'
import { originPattern } from '../origin-pattern.ts'
import { filledText, list, pem, text, wholeNumber } from '../values.ts'

const MAX_UNIX_SECONDS = 253_402_300_799

const token = section({
  hmac_secret_key: described(v.optional(secret(filledText)), 'The secret of tokens with HS256, HS384 and HS512.'),
  hmac_previous_secret_key: described(
    v.optional(secret(filledText)),
    'The secret before the last change, which is accepted too until `hmac_previous_secret_key_valid_until`.',
  ),
  hmac_previous_secret_key_valid_until: described(
    v.optional(wholeNumber(0, MAX_UNIX_SECONDS), 0),
    'The Unix time in seconds until which the previous secret is accepted. 0: without an end.',
  ),
  rsa_public_key: described(v.optional(pem), 'The public key of tokens with RS256, RS384 and RS512.'),
  ecdsa_public_key: described(v.optional(pem), 'The public key of tokens with ES256, ES384 and ES512.'),
  jwks_public_endpoint: described(
    v.optional(filledText),
    'The `https://` URL of a JSON Web Key Set. With it the other keys of this section are not used.',
  ),
  audience: described(v.optional(filledText), 'The audience (`aud`) that a token must have.'),
  audience_regex: described(
    v.optional(text, ''),
    'Is not supported: with `client_push.http_enabled` it must be empty.',
  ),
  issuer: described(v.optional(filledText), 'The issuer (`iss`) that a token must have.'),
  issuer_regex: described(v.optional(text, ''), 'Is not supported: with `client_push.http_enabled` it must be empty.'),
  user_id_claim: described(v.optional(filledText, 'sub'), 'The claim of a token that has the id of the user.'),
})

/** The section of the node's clients: their origins and tokens. */
export const client = section({
  allowed_origins: described(
    v.optional(list(originPattern, 'origin patterns'), []),
    'The origins of web pages that may call push methods over HTTP, as patterns such as `https://*.example.com`.',
  ),
  token: described(v.optional(token, {}), 'The keys of the connection JWT: those of the node.'),
})
