import type { SecureContextOptions, TlsOptions } from 'node:tls'
import { checkCertificate } from '../config/certificate.ts'
import { readPem } from '../config/pem.ts'

/** TLS of a port. Each value is a PEM text, its base64 form, or the path of a PEM file. */
export interface TlsSettings {
  /** The path of the section in the configuration, for errors. */
  section: string
  certPem: string
  keyPem: string
  /** Clients must present a certificate of this authority. Empty: no client certificate is required. */
  clientCaPem: string
}

/** Makes the options of Node's https server. @throws ConfigError when a certificate or key can't be read or used */
export function makeTlsOptions(settings: TlsSettings): TlsOptions & SecureContextOptions {
  const { section } = settings
  const options = { cert: `${section}.cert_pem`, key: `${section}.key_pem`, ca: `${section}.client_ca_pem` }
  const cert = readPem(options.cert, settings.certPem)
  const key = readPem(options.key, settings.keyPem)
  const ca = settings.clientCaPem === '' ? undefined : readPem(options.ca, settings.clientCaPem)
  checkCertificate({ cert, key, ca }, options)
  return {
    cert,
    key,
    minVersion: 'TLSv1.2',
    ...(ca !== undefined && { ca, requestCert: true, rejectUnauthorized: true }),
  }
}
