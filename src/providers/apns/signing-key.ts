import { createPrivateKey, createPublicKey, hash, type KeyObject } from 'node:crypto'
import { ApnsCredentialError } from './apns-credential-error.ts'

/** A key that Apple gave out for provider tokens, and whose it is. */
export interface SigningKey {
  privateKey: KeyObject
  keyId: string
  teamId: string
  /** Tells keys apart, also two that were configured under one id. Not secret. */
  fingerprint: string
}

/** Reads the text of a `.p8` file. Line breaks may be written as `\n`, as in environment variables. @throws ApnsCredentialError */
export function parseSigningKey(pem: string, keyId: string, teamId: string): SigningKey {
  const privateKey = parsePrivateKey(pem.replaceAll('\\n', '\n'))
  if (privateKey.asymmetricKeyType !== 'ec' || privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new ApnsCredentialError('not a key for ES256, which is what Apple gives out as a .p8 file')
  }
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  return { privateKey, keyId, teamId, fingerprint: hash('sha256', publicKey, 'hex').slice(0, 32) }
}

function parsePrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    // The library's error is not passed on: it is about the key's inside.
    throw new ApnsCredentialError('not a private key in PEM, which is what a .p8 file holds')
  }
}
