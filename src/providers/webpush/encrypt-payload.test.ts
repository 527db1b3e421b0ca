import { createECDH } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { MAX_WEB_PUSH_PAYLOAD_BYTES } from '../../rules/webpush/payload.ts'
import { encryptPayload } from './encrypt-payload.ts'

/** The example of RFC 8291 Appendix A. */
const VECTOR = {
  plaintext: 'When I grow up, I want to be a watermelon',
  serverPrivate: 'yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw',
  p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
  auth: 'BTBZMqHH6r4Tts7J_aSIgg',
  salt: 'DGv6ra1nlYgDCS1FRnbzlw',
  body:
    'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vC' +
    'YLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXL' +
    'WyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
}

const bytesOf = (text: string) => Buffer.from(text, 'base64url')
const keys = { p256dh: bytesOf(VECTOR.p256dh), auth: bytesOf(VECTOR.auth) }

describe('the encryption of a payload', () => {
  it('equals the example of RFC 8291, byte for byte', () => {
    const ecdh = createECDH('prime256v1')
    ecdh.setPrivateKey(bytesOf(VECTOR.serverPrivate))
    const body = encryptPayload(Buffer.from(VECTOR.plaintext), keys, { ecdh, salt: bytesOf(VECTOR.salt) })
    expect(body.toString('base64url')).toBe(VECTOR.body)
  })

  it('uses another key and another salt for each message', () => {
    const bodies = Array.from({ length: 20 }, () => encryptPayload(Buffer.from('x'), keys))
    expect(new Set(bodies.map((body) => body.subarray(0, 16).toString('hex'))).size).toBe(20)
    expect(new Set(bodies.map((body) => body.subarray(21, 86).toString('hex'))).size).toBe(20)
  })

  it('of the longest payload has the 4,096 bytes that a push service accepts', () => {
    expect(MAX_WEB_PUSH_PAYLOAD_BYTES).toBe(3993)
    expect(encryptPayload(Buffer.alloc(MAX_WEB_PUSH_PAYLOAD_BYTES), keys)).toHaveLength(4096)
  })

  it('refuses a key that is not a point of the curve', () => {
    const p256dh = Buffer.from(keys.p256dh)
    p256dh[64] = (p256dh[64] ?? 0) ^ 1
    expect(() => encryptPayload(Buffer.from('x'), { ...keys, p256dh })).toThrow()
  })
})
