import { ConfigError } from '../../config/config-error.ts'
import { readPem } from '../../config/pem.ts'
import { readOptionFile } from '../../config/read-option-file.ts'
import type { Config } from '../../config/schema.ts'
import { ApnsCredentialError } from './apns-credential-error.ts'
import { type ClientCertificate, parseClientCertificate } from './client-certificate.ts'
import { parseSigningKey, type SigningKey } from './signing-key.ts'

type Options = Config['push_notifications']['apns']

/** Reads the signing key that a checked configuration names. @throws ConfigError that names the option */
export function loadSigningKey(options: Options): SigningKey {
  const { token_key_file: file, token_key_pem: pem = '', token_key_id = '', token_team_id = '' } = options
  const name = file === undefined ? 'token_key_pem' : 'token_key_file'
  const text = file === undefined ? readPem(pathOf(name), pem) : readOptionFile(pathOf(name), file).toString()
  return explained(name, () => parseSigningKey(text, token_key_id, token_team_id))
}

/** Reads the client certificate that a checked configuration names. @throws ConfigError that names the option */
export function loadClientCertificate(options: Options): ClientCertificate {
  const { cert_p12_file: file, cert_p12_b64: base64 = '', cert_p12_password: password = '' } = options
  const name = file === undefined ? 'cert_p12_b64' : 'cert_p12_file'
  const bytes = file === undefined ? Buffer.from(base64, 'base64') : readOptionFile(pathOf(name), file)
  return explained(name, () => parseClientCertificate(bytes, password))
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
