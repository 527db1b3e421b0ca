// Decrypts Web Push messages as a browser does (RFC 8291). It shares no code with the encryption, so that both do not
// have the same errors.
import { createDecipheriv, hkdfSync } from 'node:crypto'
import type { SimulatedSubscription } from './subscriptions.ts'

const SALT_BYTES = 16
const TAG_BYTES = 16
const POINT_BYTES = 65
/** The delimiter after the content of the last record (RFC 8188 section 2). Zeros may follow it. */
const LAST_RECORD = 2

/** Decrypts the payload of a message; undefined if the browser with this subscription could not decrypt it. */
export function decryptMessage(message: Buffer, { ecdh, auth }: SimulatedSubscription): Buffer | undefined {
  const keyStart = SALT_BYTES + 5
  const contentStart = keyStart + POINT_BYTES
  const recordBytes = message.length >= contentStart ? message.readUInt32BE(SALT_BYTES) : 0
  if (message[SALT_BYTES + 4] !== POINT_BYTES || message.length - contentStart > recordBytes) return undefined
  try {
    const senderKey = message.subarray(keyStart, contentStart)
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), ecdh.getPublicKey(), senderKey])
    const inputKey = derive(ecdh.computeSecret(senderKey), auth, info, 32)
    const salt = message.subarray(0, SALT_BYTES)
    const contentKey = derive(inputKey, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16)
    const nonce = derive(inputKey, salt, Buffer.from('Content-Encoding: nonce\0'), 12)
    const decipher = createDecipheriv('aes-128-gcm', contentKey, nonce)
    decipher.setAuthTag(message.subarray(-TAG_BYTES))
    const padded = Buffer.concat([decipher.update(message.subarray(contentStart, -TAG_BYTES)), decipher.final()])
    return unpad(padded)
  } catch {
    // Decryption failed: the message is for another browser, or damaged.
    return undefined
  }
}

function unpad(padded: Buffer): Buffer | undefined {
  let end = padded.length - 1
  while (end >= 0 && padded[end] === 0) end--
  return padded[end] === LAST_RECORD ? padded.subarray(0, end) : undefined
}

function derive(key: Buffer, salt: Buffer, info: Buffer, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, info, bytes))
}
