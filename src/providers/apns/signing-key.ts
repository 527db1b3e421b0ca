import { createPrivateKey, createPublicKey, hash, type KeyObject } from 'node:crypto'
import { ApnsCredentialError } from './apns-credential-error.ts'

/** A key that Apple issued for signing provider tokens, with its id and its team. */
export interface SigningKey {
  privateKey: KeyObject
  keyId: string
  teamId: string
  /** A fingerprint of the key, which is not secret. It differs between keys that were configured under one id. */
  fingerprint: string
}

/**
 * Reads the text of a `.p8` file. Line breaks may be written as `\n`, as in environment variables.
 * @throws ApnsCredentialError
 */
export function parseSigningKey(pem: string, keyId: string, teamId: string): SigningKey {
  const privateKey = parsePrivateKey(pem.replaceAll('\\n', '\n'))
  if (privateKey.asymmetricKeyType !== 'ec' || privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new ApnsCredentialError('not a key for ES256; use the .p8 file from Apple')
  }
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  return { privateKey, keyId, teamId, fingerprint: hash('sha256', publicKey, 'hex').slice(0, 32) }
}

function parsePrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    // The error of the library is not passed on: it could describe parts of the key.
    throw new ApnsCredentialError('not a private key in PEM; use the .p8 file from Apple')
  }
}
