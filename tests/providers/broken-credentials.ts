// Sections of providers with broken credentials.
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeVapidKeys } from '../../src/providers/webpush/vapid-keys.ts'
import { makeDirectory } from '../cli/command.ts'
import { makeClientCertificate } from '../support/client-certificate.ts'

/** Options of the section of a provider. */
export type Section = Record<string, unknown>

/** A service account key, a signing key of APNs, and a client certificate. */
export const account: Record<string, string> = {
  type: 'service_account',
  project_id: 'shop',
  client_email: 'push@shop.iam.gserviceaccount.com',
  private_key: generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString(),
}
const p8 = makeKey('prime256v1')
const { p12 } = makeClientCertificate('com.example.app', 'p12-password')

function makeKey(namedCurve: string): string {
  return generateKeyPairSync('ec', { namedCurve }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function publicKeyOf(privateKey: string): string {
  return createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()
}

/** Writes a file with this content, and returns its path. */
function fileWith(content: string | Buffer): string {
  const file = join(makeDirectory(), 'credential')
  writeFileSync(file, content)
  return file
}

function directory(): string {
  const path = join(makeDirectory(), 'directory')
  mkdirSync(path)
  return path
}

/** The file of a service account with changed fields. */
export const fcmFile = (change: Section) => ({ credentials_file: fileWith(JSON.stringify({ ...account, ...change })) })
/** The private key of the service account. */
export const privateKey = account.private_key ?? ''
/** The section of APNs with a key. */
export const apns = (credential: Section) => ({
  bundle_id: 'com.example.app',
  auth_type: 'token',
  token_key_id: 'KEY0000001',
  token_team_id: 'TEAM000001',
  ...credential,
})
const cert = (credential: Section) => ({ bundle_id: 'com.example.app', auth_type: 'cert', ...credential })
/** The section of Web Push with new keys. */
export const webpush = (change: Section) => {
  const { publicKey, privateKey } = makeVapidKeys()
  return { vapid_public_key: publicKey, vapid_private_key: privateKey, subject: 'mailto:a@example.com', ...change }
}
const user = { type: 'authorized_user', client_id: 'c', client_secret: 's', refresh_token: 'r' }

/** What is broken, of which provider, its section, and the problem that is told. */
export const BROKEN: [what: string, provider: string, section: () => Section, problem: RegExp][] = [
  [
    'a missing file',
    'fcm',
    () => ({ credentials_file: '/no/file.json' }),
    /fcm\.credentials_file: \/no\/file\.json does not exist/,
  ],
  ['a directory', 'fcm', () => ({ credentials_file: directory() }), /is a directory, a file is expected/],
  ['an empty file', 'fcm', () => ({ credentials_file: fileWith('') }), /there is no credential: the text is empty/],
  [
    'a file that is cut off',
    'fcm',
    () => ({ credentials_file: fileWith(JSON.stringify(account).slice(0, 900)) }),
    /the text is not JSON/,
  ],
  [
    'the configuration of an app',
    'fcm',
    () => ({ credentials_file: fileWith('{"project_info":{}}') }),
    /google-services\.json.*use a service account key/,
  ],
  [
    'missing fields',
    'fcm',
    () => fcmFile({ client_email: undefined, project_id: '../x' }),
    /not valid: project_id, client_email/,
  ],
  [
    'a key that is cut off',
    'fcm',
    () => fcmFile({ private_key: privateKey.slice(0, 600) }),
    /private_key is cut off: its last line is missing/,
  ],
  [
    'a damaged key',
    'fcm',
    () => fcmFile({ private_key: privateKey.replace(/\n.{20}/, '\n') }),
    /private_key is damaged: OpenSSL can not read it; download/,
  ],
  ['a key in quotes', 'fcm', () => fcmFile({ private_key: `"${privateKey}"` }), /private_key is in quotes; remove/],
  ['a key of another kind', 'fcm', () => fcmFile({ private_key: p8 }), /private_key is not an RSA key/],
  ['no key', 'fcm', () => fcmFile({ private_key: 'AIza-not-a-key' }), /private_key is not PEM/],
  ['JSON that is none', 'fcm', () => ({ credentials_json: 'eyJ0eXBl' }), /fcm\.credentials_json: .*not JSON/],
  [
    'JSON in quotes of a shell',
    'fcm',
    () => ({ credentials_json: `'${JSON.stringify(account)}'` }),
    /fcm\.credentials_json: the text is in quotes; remove them/,
  ],
  [
    'JSON in a JSON text',
    'fcm',
    () => ({ credentials_json: JSON.stringify(JSON.stringify(account)) }),
    /the text is in quotes; remove them/,
  ],
  [
    'a file in UTF-16',
    'fcm',
    () => ({ credentials_file: fileWith(Buffer.from(`\ufeff${JSON.stringify(account)}`, 'utf16le')) }),
    /the text is not JSON/,
  ],
  [
    'a key without its line breaks',
    'fcm',
    () => fcmFile({ private_key: privateKey.replaceAll('\n', ' ') }),
    /private_key is damaged/,
  ],
  ['a server key of the legacy API', 'fcm', () => ({ credentials_json: 'AAAA1234:APA91bxyz' }), /the text is not JSON/],
  [
    'a user without a project',
    'fcm',
    () => ({ credentials_json: JSON.stringify(user) }),
    /authorized_user needs fcm\.project_id/,
  ],
  [
    'a user without a token',
    'fcm',
    () => ({ credentials_json: JSON.stringify({ ...user, refresh_token: '' }), project_id: 'p' }),
    /not valid: refresh_token/,
  ],
  [
    'a federation without a source',
    'fcm',
    () => ({ credentials_json: '{"type":"external_account","audience":"a"}', project_id: 'p' }),
    /subject_token_type, token_url, credential_source/,
  ],
  [
    'a missing authority',
    'fcm',
    () => ({ ...fcmFile({}), ca_file: '/no/ca.pem' }),
    /fcm\.ca_file: \/no\/ca\.pem does not exist/,
  ],
  [
    'an authority that is none',
    'fcm',
    () => ({ ...fcmFile({}), ca_file: fileWith('x') }),
    /fcm\.ca_file: .* is not a certificate in PEM/,
  ],
  [
    'a missing key',
    'apns',
    () => apns({ token_key_file: '/no/key.p8' }),
    /apns\.token_key_file: \/no\/key\.p8 does not exist/,
  ],
  [
    'an empty key',
    'apns',
    () => apns({ token_key_file: fileWith('') }),
    /token_key_file: not a private key in PEM; use the \.p8/,
  ],
  [
    'a key that is cut off',
    'apns',
    () => apns({ token_key_file: fileWith(p8.slice(0, 80)) }),
    /not a private key in PEM/,
  ],
  [
    'a key of another curve',
    'apns',
    () => apns({ token_key_file: fileWith(makeKey('secp384r1')) }),
    /not a key for ES256/,
  ],
  ['an RSA key', 'apns', () => apns({ token_key_pem: privateKey }), /apns\.token_key_pem: not a key for ES256/],
  ['a public key', 'apns', () => apns({ token_key_pem: publicKeyOf(p8) }), /not a private key in PEM/],
  ['a key in quotes', 'apns', () => apns({ token_key_pem: `"${p8}"` }), /not a private key in PEM/],
  [
    'a key without its line breaks',
    'apns',
    () => apns({ token_key_pem: p8.replaceAll('\n', ' ') }),
    /not a private key in PEM/,
  ],
  [
    'a blank behind the id of the key',
    'apns',
    () => apns({ token_key_pem: p8, token_key_id: 'KEY0000001 ' }),
    /token_key_id: expected ten letters and digits but found 11/,
  ],
  [
    'a short id of the key',
    'apns',
    () => apns({ token_key_pem: p8, token_key_id: 'KEY' }),
    /token_key_id: expected ten letters and digits but found 3/,
  ],
  [
    'a missing certificate',
    'apns',
    () => cert({ cert_p12_file: '/no/cert.p12' }),
    /apns\.cert_p12_file: \/no\/cert\.p12 does not exist/,
  ],
  [
    'a certificate with another password',
    'apns',
    () => cert({ cert_p12_file: fileWith(p12), cert_p12_password: 'x' }),
    /password does not match/,
  ],
  ['a certificate that is none', 'apns', () => cert({ cert_p12_file: fileWith('x') }), /not a PKCS #12 certificate/],
  [
    'a certificate that is cut off',
    'apns',
    () => cert({ cert_p12_b64: p12.subarray(0, 500).toString('base64') }),
    /apns\.cert_p12_b64: not a PKCS/,
  ],
  [
    'a short public key',
    'webpush',
    () => webpush({ vapid_public_key: 'BAAA' }),
    /webpush\.vapid_public_key: is not a key of 65 bytes/,
  ],
  [
    'a short private key',
    'webpush',
    () => webpush({ vapid_private_key: 'AAAA' }),
    /vapid_private_key: is not a key of 32 bytes/,
  ],
  [
    'a private key in PEM',
    'webpush',
    () => webpush({ vapid_private_key: p8 }),
    /vapid_private_key: is not a key of 32 bytes/,
  ],
  [
    "keys in each other's place",
    'webpush',
    () => {
      const { publicKey, privateKey } = makeVapidKeys()
      return webpush({ vapid_public_key: privateKey, vapid_private_key: publicKey })
    },
    /vapid_public_key: is not a key of 65 bytes/,
  ],
  [
    'keys of two pairs',
    'webpush',
    () => webpush({ vapid_private_key: makeVapidKeys().privateKey }),
    /vapid_public_key: does not belong to/,
  ],
  [
    'a subject on this machine',
    'webpush',
    () => webpush({ subject: 'mailto:app@localhost' }),
    /webpush\.subject: expected a contact on the internet/,
  ],
  [
    'a URL on this machine',
    'webpush',
    () => webpush({ subject: 'https://localhost:8000/x' }),
    /Apple refuses.*BadJwtToken/,
  ],
  [
    'a name of this machine',
    'webpush',
    () => webpush({ subject: 'https://app.localhost' }),
    /expected a contact on the internet/,
  ],
  [
    'a subject with a blank',
    'webpush',
    () => webpush({ subject: 'mailto: a@example.com' }),
    /expected mailto:you@example\.com or an https URL/,
  ],
  [
    'a subject that is no URI',
    'webpush',
    () => webpush({ subject: 'app@example.com' }),
    /expected mailto:you@example\.com or an https URL/,
  ],
  [
    'a missing authority',
    'webpush',
    () => webpush({ ca_file: '/no/ca.pem' }),
    /webpush\.ca_file: \/no\/ca\.pem does not exist/,
  ],
  [
    'an id with a blank',
    'hms',
    () => ({ app_id: 'my app', app_secret: 's' }),
    /hms\.app_id: expected an id without spaces/,
  ],
  ['no secret', 'hms', () => ({ app_id: '1' }), /hms\.app_secret: is needed/],
  ['an empty secret', 'hms', () => ({ app_id: '1', app_secret: '' }), /hms\.app_secret: expected text but found none/],
  [
    'an authority that is none',
    'hms',
    () => ({ app_id: '1', app_secret: 's', ca_file: fileWith('x') }),
    /hms\.ca_file: .* is not a certificate/,
  ],
]
