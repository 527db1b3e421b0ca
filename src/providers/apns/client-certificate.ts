import { createSecureContext } from 'node:tls'
import { ApnsCredentialError } from './apns-credential-error.ts'

/** A client certificate that Apple issued for a bundle id, with its key (PKCS #12, `.p12`). */
export interface ClientCertificate {
  pfx: Buffer
  passphrase: string
}

/** Reads the bytes of a `.p12` file. @throws ApnsCredentialError */
export function parseClientCertificate(pfx: Buffer, passphrase: string): ClientCertificate {
  try {
    createSecureContext({ pfx, passphrase })
  } catch (error) {
    throw new ApnsCredentialError(explain(error))
  }
  return { pfx, passphrase }
}

/** The reason in words. It is found by comparing OpenSSL's texts, because Node has no error codes for these cases. */
function explain(error: unknown): string {
  const message = error instanceof Error ? error.message : ''
  if (message.includes('mac verify')) return 'the password does not match the PKCS #12 certificate'
  if (message.includes('nsupported')) {
    const cause = 'the PKCS #12 certificate is encrypted with RC2 or another obsolete cipher'
    return `${cause}; export it again with AES (openssl pkcs12 -export)`
  }
  return 'not a PKCS #12 certificate with its key, as in a .p12 file'
}
