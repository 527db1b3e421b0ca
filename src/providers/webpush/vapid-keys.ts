import { createECDH, createPrivateKey, type KeyObject } from 'node:crypto'

/** The key pair that identifies the sender to push services (RFC 8292). */
export interface VapidKeys {
  /** The raw public key as base64url: the browser's `applicationServerKey`. */
  publicKey: string
  privateKey: KeyObject
}

/**
 * The two VAPID keys of the configuration are not keys, or not a pair. The message names the option and never quotes a
 * key.
 */
export class VapidKeysError extends Error {
  override readonly name = 'VapidKeysError'
}

const PRIVATE_BYTES = 32
const POINT_BYTES = 65
const COORDINATE_BYTES = 32

/** Reads the VAPID key pair of the configuration: base64url or base64 of the raw bytes. @throws VapidKeysError */
export function readVapidKeys(publicText: string, privateText: string): VapidKeys {
  const publicBytes = Buffer.from(publicText, 'base64url')
  const privateBytes = Buffer.from(privateText, 'base64url')
  if (publicBytes.length !== POINT_BYTES) throw new VapidKeysError('vapid_public_key: is not a key of 65 bytes')
  if (privateBytes.length !== PRIVATE_BYTES) throw new VapidKeysError('vapid_private_key: is not a key of 32 bytes')
  if (!derivePublicKey(privateBytes).equals(publicBytes)) {
    throw new VapidKeysError('vapid_public_key: does not belong to vapid_private_key')
  }
  const x = publicBytes.subarray(1, 1 + COORDINATE_BYTES).toString('base64url')
  const y = publicBytes.subarray(1 + COORDINATE_BYTES).toString('base64url')
  const jwk = { kty: 'EC', crv: 'P-256', d: privateBytes.toString('base64url'), x, y }
  return {
    publicKey: publicBytes.toString('base64url'),
    privateKey: createPrivateKey({ key: jwk, format: 'jwk' }),
  }
}

/** Makes a new VAPID key pair; both keys are base64url of the raw bytes. */
export function makeVapidKeys(): { publicKey: string; privateKey: string } {
  const ecdh = createECDH('prime256v1')
  const publicKey = ecdh.generateKeys()
  // The private key is padded to its full length, because OpenSSL omits leading zeros.
  const privateKey = Buffer.concat([Buffer.alloc(PRIVATE_BYTES), ecdh.getPrivateKey()]).subarray(-PRIVATE_BYTES)
  return { publicKey: publicKey.toString('base64url'), privateKey: privateKey.toString('base64url') }
}

function derivePublicKey(privateBytes: Buffer): Buffer {
  const ecdh = createECDH('prime256v1')
  try {
    ecdh.setPrivateKey(privateBytes)
    return ecdh.getPublicKey()
  } catch {
    // The private key is zero or not below the order of the curve. OpenSSL's error does not say which.
    throw new VapidKeysError('vapid_private_key: is not a key of P-256')
  }
}
