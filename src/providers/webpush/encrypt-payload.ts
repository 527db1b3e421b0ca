// Message encryption for Web Push (RFC 8291): one record of aes128gcm (RFC 8188) that only the browser can read. The
// two elliptic-curve operations take three quarters of the time. Other orders of the calls to node:crypto were
// measured; none was faster.
import { createCipheriv, createECDH, createHmac, type ECDH, randomBytes } from 'node:crypto'
import { MAX_MESSAGE_BYTES } from '../../rules/webpush/payload.ts'

/** The keys of a browser's subscription. */
export interface SubscriptionKeys {
  /** The public key of the browser: an uncompressed point of P-256, 65 bytes. */
  p256dh: Buffer
  /** The authentication secret of the browser, 16 bytes. */
  auth: Buffer
}

/** The random values of one message, which must not be used for another one. */
export interface MessageSecrets {
  /** The sender's key pair for this message, already generated. */
  ecdh: ECDH
  /** The salt, 16 bytes. */
  salt: Buffer
}

const SALT_BYTES = 16
const POINT_BYTES = 65
const CIPHER = 'aes-128-gcm'
const CONTENT_KEY_BYTES = 16
const NONCE_BYTES = 12
/** The delimiter after the plaintext of the last record (RFC 8188 section 2). No padding follows it. */
const LAST_RECORD = Buffer.from([2])
/**
 * The size of the header: salt, record size, length of the key id, and the sender's public key as key id (RFC 8291
 * section 4).
 */
const HEADER_BYTES = SALT_BYTES + 4 + 1 + POINT_BYTES

// The info texts for HKDF. Each ends with the counter of the only HKDF block (RFC 5869 section 2.3).
const KEY_INFO = Buffer.from('WebPush: info\0')
const CONTENT_KEY_INFO = Buffer.from('Content-Encoding: aes128gcm\0\u0001')
const NONCE_INFO = Buffer.from('Content-Encoding: nonce\0\u0001')
const FIRST_BLOCK = Buffer.from([1])

/**
 * Encrypts a payload to the body of a request with `Content-Encoding: aes128gcm`. Throws if `p256dh` is not a point of
 * the curve. Only tests pass `secrets`: two messages under the same secrets would disclose their common parts.
 */
export function encryptPayload(payload: Uint8Array, keys: SubscriptionKeys, secrets = makeSecrets()): Buffer {
  const { ecdh, salt } = secrets
  const publicKey = ecdh.getPublicKey()
  const authKey = hmac(keys.auth, ecdh.computeSecret(keys.p256dh))
  const inputKey = hmac(authKey, KEY_INFO, keys.p256dh, publicKey, FIRST_BLOCK)
  const prk = hmac(salt, inputKey)
  const contentKey = hmac(prk, CONTENT_KEY_INFO).subarray(0, CONTENT_KEY_BYTES)
  const nonce = hmac(prk, NONCE_INFO).subarray(0, NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, contentKey, nonce)
  return Buffer.concat([
    makeHeader(salt, publicKey),
    cipher.update(payload),
    cipher.update(LAST_RECORD),
    cipher.final(),
    cipher.getAuthTag(),
  ])
}

function makeSecrets(): MessageSecrets {
  const ecdh = createECDH('prime256v1')
  ecdh.generateKeys()
  return { ecdh, salt: randomBytes(SALT_BYTES) }
}

function makeHeader(salt: Buffer, publicKey: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  salt.copy(header)
  header.writeUInt32BE(MAX_MESSAGE_BYTES, SALT_BYTES)
  header[SALT_BYTES + 4] = POINT_BYTES
  publicKey.copy(header, SALT_BYTES + 5)
  return header
}

function hmac(key: Buffer, ...parts: readonly Buffer[]): Buffer {
  const digest = createHmac('sha256', key)
  for (const part of parts) digest.update(part)
  return digest.digest()
}
