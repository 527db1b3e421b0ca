import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { ConfigError } from './config-error.ts'

/** PEM texts, each undefined if it is not set. */
export interface CertificateTexts {
  cert?: string | undefined
  key?: string | undefined
  ca?: string | undefined
}

/** The option that holds each of the texts. */
export type CertificateOptions = Readonly<Record<keyof CertificateTexts, string>>

/**
 * Checks that a certificate, its private key and an authority can be used. TLS refuses them later, with a text that
 * names no option.
 * @throws ConfigError that names the option
 */
export function checkCertificate({ cert, key, ca }: CertificateTexts, options: CertificateOptions): void {
  if (ca !== undefined) parseCertificate(ca, options.ca)
  const certificate = cert === undefined ? undefined : parseCertificate(cert, options.cert)
  const privateKey = key === undefined ? undefined : parseKey(key, options.key)
  if (certificate && privateKey && !certificate.checkPrivateKey(privateKey)) {
    throw new ConfigError(`${options.key}: is not the private key of ${options.cert}`)
  }
}

function parseCertificate(pem: string, option: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    throw new ConfigError(`${option}: expected a certificate in PEM form (-----BEGIN CERTIFICATE-----)`, {
      cause: error,
    })
  }
}

function parseKey(pem: string, option: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (error) {
    const isEncrypted = pem.includes('ENCRYPTED')
    const expected = isEncrypted ? 'a private key without a passphrase' : 'a private key in PEM form'
    throw new ConfigError(`${option}: expected ${expected} (-----BEGIN PRIVATE KEY-----)`, { cause: error })
  }
}
