import { readFileSync } from 'node:fs'
import { ConfigError } from '../../config/config-error.ts'
import { readPem } from '../../config/pem.ts'
import type { Config } from '../../config/schema.ts'
import { ApnsCredentialError } from './apns-credential-error.ts'
import { type ClientCertificate, parseClientCertificate } from './client-certificate.ts'
import { parseSigningKey, type SigningKey } from './signing-key.ts'

type Options = Config['push_notifications']['apns']

/** Who we are to APNs. */
export type ApnsCredential =
  | { kind: 'token'; key: SigningKey }
  | { kind: 'certificate'; certificate: ClientCertificate }

/** Reads what the options of a checked configuration name. @throws ConfigError that names the option */
export function loadApnsCredential(options: Options): ApnsCredential {
  return options.auth_type === 'cert'
    ? { kind: 'certificate', certificate: loadCertificate(options) }
    : { kind: 'token', key: loadKey(options) }
}

function loadKey({ token_key_file: file, token_key_pem: pem = '', token_key_id = '', token_team_id = '' }: Options) {
  const name = file === undefined ? 'token_key_pem' : 'token_key_file'
  const text = file === undefined ? readPem(pathOf(name), pem) : readFile(name, file).toString()
  return explained(name, () => parseSigningKey(text, token_key_id, token_team_id))
}

function loadCertificate({
  cert_p12_file: file,
  cert_p12_b64: base64 = '',
  cert_p12_password: password = '',
}: Options) {
  const name = file === undefined ? 'cert_p12_b64' : 'cert_p12_file'
  const bytes = file === undefined ? Buffer.from(base64, 'base64') : readFile(name, file)
  return explained(name, () => parseClientCertificate(bytes, password))
}

function readFile(option: string, file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new ConfigError(`${pathOf(option)}: can't be read (${error instanceof Error ? error.message : 'unknown'})`)
  }
}

function explained<T>(option: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw error instanceof ApnsCredentialError ? new ConfigError(`${pathOf(option)}: ${error.message}`) : error
  }
}

function pathOf(option: string): string {
  return `push_notifications.apns.${option}`
}
