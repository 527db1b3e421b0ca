import * as v from 'valibot'
import { described, secret, section } from '../option.ts'
import { originPattern } from '../origin-pattern.ts'
import {
  contactUri,
  file,
  filledText,
  hmsAppId,
  kindOf,
  list,
  networkBlock,
  oneOf,
  text,
  url,
  wholeNumber,
} from '../values.ts'

const caFile = described(v.optional(text), 'PEM file of a certificate authority to trust besides those of the system.')

function batchSize(max: number, fallback: number, unit: string) {
  return described(v.optional(wholeNumber(1, max), fallback), `The most targets of one ${unit}.`)
}

/** The section of Firebase Cloud Messaging. */
export const fcm = section({
  credentials_file: described(
    v.optional(file),
    'The JSON file of the credential: the key of a service account, or a credential of workload identity federation, ' +
      'impersonation or gcloud.',
  ),
  credentials_json: described(
    v.optional(secret(filledText)),
    'The credential as JSON or its base64, in place of `credentials_file`.',
  ),
  project_id: described(
    v.optional(filledText),
    'The Firebase project. Absent: that of the service account. Without a credential, application default ' +
      'credentials are used: `GOOGLE_APPLICATION_CREDENTIALS`, the file of gcloud, or the metadata server.',
  ),
  tokens_batch_size: batchSize(5000, 500, 'batch'),
  push_endpoint: described(v.optional(url('https:'), 'https://fcm.googleapis.com'), 'The server that pushes go to.'),
  auth_endpoint: described(
    v.optional(url('https:'), 'https://oauth2.googleapis.com'),
    'The server that exchanges the assertion of a service account or the refresh token of a user for an access token.',
  ),
  ca_file: caFile,
})

/** The section of Huawei Push Kit. */
export const hms = section({
  app_id: described(v.optional(hmsAppId), 'The id of the app.'),
  app_secret: described(v.optional(secret(filledText)), 'The secret of the app.'),
  auth_endpoint: described(
    v.optional(url('https:'), 'https://oauth-login.cloud.huawei.com/oauth2/v3/token'),
    'The whole URL that exchanges id and secret for an access token.',
  ),
  push_endpoint: described(
    v.optional(url('https:'), 'https://push-api.cloud.huawei.com'),
    'The server that pushes go to.',
  ),
  tokens_batch_size: batchSize(1000, 1000, 'batch, which is one request'),
  ca_file: caFile,
})

const apnsEndpoint = v.pipe(
  v.union([oneOf(['development', 'production']), url('https:')], (issue) => {
    return `expected "development", "production" or a URL that starts with https:// but found ${issue.received}`
  }),
  kindOf<string>('environment or https:// URL', { type: 'string' }),
)

/** An id that Apple has given to a key or a team. */
const appleId = v.pipe(
  filledText,
  v.check(
    (value) => /^[A-Z0-9]{10}$/i.test(value),
    (issue) => `expected ten letters and digits but found ${issue.input.length} characters`,
  ),
)

/** The section of the Apple Push Notification service. */
export const apns = section({
  endpoint: described(
    v.optional(apnsEndpoint, 'development'),
    'The environment of the device tokens: `development`, `production`, or the `https://` URL of another server.',
  ),
  bundle_id: described(v.optional(filledText), 'The bundle id of the app, the default of the header `apns-topic`.'),
  auth_type: described(
    v.optional(oneOf(['token', 'cert'])),
    '`token` needs `token_key_file` (or `token_key_pem`), `token_key_id` and `token_team_id`; `cert` needs ' +
      '`cert_p12_file` (or `cert_p12_b64`).',
  ),
  tokens_batch_size: batchSize(5000, 100, 'batch'),
  token_key_file: described(v.optional(file), 'The .p8 file of the signing key.'),
  token_key_pem: described(v.optional(secret(filledText)), 'The signing key as text, in place of `token_key_file`.'),
  token_key_id: described(v.optional(appleId), 'The id of the signing key, ten characters.'),
  token_team_id: described(v.optional(appleId), 'The id of the developer team, ten characters.'),
  cert_p12_file: described(v.optional(file), 'The .p12 file of the client certificate.'),
  cert_p12_b64: described(
    v.optional(secret(filledText)),
    'The client certificate as base64, in place of `cert_p12_file`.',
  ),
  cert_p12_password: described(v.optional(secret(text)), 'The password of the client certificate.'),
  ca_file: caFile,
})

const origins = list(originPattern, 'origin patterns')

/** The section of Web Push. */
export const webpush = section({
  vapid_public_key: described(
    v.optional(filledText),
    'The public VAPID key, as `centripush gen-vapid-keys` prints it.',
  ),
  vapid_private_key: described(v.optional(secret(filledText)), 'The private VAPID key.'),
  subject: described(v.optional(contactUri), 'The contact for operators of push services.'),
  tokens_batch_size: batchSize(5000, 100, 'batch'),
  allowed_endpoint_origins: described(
    v.optional(origins, []),
    'The origins that endpoints of subscriptions may have, as patterns such as `https://*.example.com`; `*` allows ' +
      'all. Empty: the push services of the browsers.',
  ),
  extra_allowed_endpoint_origins: described(v.optional(origins, []), 'Origins that are allowed besides those.'),
  private_endpoint_networks: described(
    v.optional(list(networkBlock, 'CIDR blocks'), []),
    'Private networks of your own push services, such as `10.1.0.0/16`. Connections to other private networks are ' +
      'refused.',
  ),
  ca_file: caFile,
})
