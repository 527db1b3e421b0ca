import { readFileSync } from 'node:fs'
import type { SecureContextOptions, TlsOptions } from 'node:tls'
import { ConfigError } from '../config/config-error.ts'

/** TLS of a port: PEM material as text, as base64 of it, or as the path of a file. */
export interface TlsSettings {
  certPem: string
  keyPem: string
  /** Clients must present a certificate of this authority; empty for any client. */
  clientCaPem: string
}

/** For Node's https server. @throws ConfigError when a file can't be read */
export function makeTlsOptions(settings: TlsSettings): TlsOptions & SecureContextOptions {
  const clientCa = settings.clientCaPem === '' ? undefined : readPem('client_ca_pem', settings.clientCaPem)
  return {
    cert: readPem('cert_pem', settings.certPem),
    key: readPem('key_pem', settings.keyPem),
    minVersion: 'TLSv1.2',
    ...(clientCa !== undefined && { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  }
}

function readPem(option: string, value: string): string {
  if (value.includes('-----BEGIN')) return value
  const decoded = Buffer.from(value, 'base64').toString('latin1')
  if (decoded.includes('-----BEGIN')) return decoded
  try {
    return readFileSync(value, 'utf8')
  } catch (error) {
    throw new ConfigError(`http_server TLS ${option}: neither PEM, nor base64 of it, nor a readable file`, {
      cause: error,
    })
  }
}
