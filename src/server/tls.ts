import type { SecureContextOptions, TlsOptions } from 'node:tls'
import { readPem } from '../config/pem.ts'

/** TLS of a port: PEM material as text, as base64 of it, or as the path of a file. */
export interface TlsSettings {
  certPem: string
  keyPem: string
  /** Clients must present a certificate of this authority; empty for any client. */
  clientCaPem: string
}

/** For Node's https server. @throws ConfigError when a file can't be read */
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
