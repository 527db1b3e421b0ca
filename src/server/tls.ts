import type { SecureContextOptions, TlsOptions } from 'node:tls'
import { readPem } from '../config/pem.ts'

/** TLS of a port. Each value is a PEM text, its base64 form, or the path of a PEM file. */
export interface TlsSettings {
  certPem: string
  keyPem: string
  /** Clients must present a certificate of this authority. Empty: no client certificate is required. */
  clientCaPem: string
}

/** Makes the options of Node's https server. @throws ConfigError when a file can't be read */
export function makeTlsOptions(settings: TlsSettings): TlsOptions & SecureContextOptions {
  const clientCa =
    settings.clientCaPem === '' ? undefined : readPem('http_server TLS client_ca_pem', settings.clientCaPem)
  return {
    cert: readPem('http_server TLS cert_pem', settings.certPem),
    key: readPem('http_server TLS key_pem', settings.keyPem),
    minVersion: 'TLSv1.2',
    ...(clientCa !== undefined && { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  }
}
