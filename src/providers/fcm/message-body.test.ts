import { describe, expect, it } from 'vitest'
import { fc } from '../../../tests/support/fast-check.ts'
import { ByteWriter } from '../../http2/frames/byte-writer.ts'
import { fieldOfToken } from '../../rules/fcm/targets.ts'
import { makeBodyWriter } from './message-body.ts'

function bodyOf(message: string, target = 't', kind: 'token' | 'topic' | 'condition' = 'token'): string {
  const out = new ByteWriter()
  const notification = { json: Buffer.from(message), headers: new Map<string, string>() }
  makeBodyWriter({ uid: 'u', notification, targetKind: kind, targets: [target] })(0, out)
  return out.take().toString()
}

describe('the body of a message', () => {
  it.each([
    ['{"a":1}', '{"message":{"token":"t","a":1}}'],
    ['{}', '{"message":{"token":"t"}}'],
    [' { \n } ', '{"message":{"token":"t"}}'],
    [
      '{ "a" : 12345678901234567890 , "b":1.0,"b":1.00 }',
      '{"message":{"token":"t", "a" : 12345678901234567890 , "b":1.0,"b":1.00 }}',
    ],
    ['{"a":"\\u00e9\\/","b":"\\"},{"}', '{"message":{"token":"t","a":"\\u00e9\\/","b":"\\"},{"}}'],
    ['{"a":{"token":"kept"},"b":[{"topic":1}]}', '{"message":{"token":"t","a":{"token":"kept"},"b":[{"topic":1}]}}'],
  ])('keeps the bytes of %s', (message, expected) => {
    expect(bodyOf(message)).toBe(expected)
  })

  it.each([
    ['{"token":"x"}', '{"message":{"token":"t"}}'],
    ['{"token":"x","a":1}', '{"message":{"token":"t","a":1}}'],
    ['{"a":1,"topic":"x"}', '{"message":{"token":"t","a":1}}'],
    ['{"a":1,"condition":{"x":[1,2]},"b":2,"token":null}', '{"message":{"token":"t","a":1,"b":2}}'],
    ['{"\\u0074oken":"x","a":"token"}', '{"message":{"token":"t","a":"token"}}'],
    ['{"fid":"x","a":1}', '{"message":{"token":"t","a":1}}'],
  ])('leaves out the target that the caller wrote into %s', (message, expected) => {
    expect(bodyOf(message)).toBe(expected)
  })

  it('addresses installation ids, topics and conditions, with the escapes that JSON requires', () => {
    expect(bodyOf('{}', `'a' in topics && "b"\n`, 'condition')).toBe(
      `{"message":{"condition":"'a' in topics && \\"b\\"\\n"}}`,
    )
    expect(bodyOf('{}', 'cIjyJAs9QRGSyFLCXPKrPJ')).toBe('{"message":{"fid":"cIjyJAs9QRGSyFLCXPKrPJ"}}')
    expect(bodyOf('{}', 'cIjyJAs9QRGSyFLCXPKrPJ', 'topic')).toBe('{"message":{"topic":"cIjyJAs9QRGSyFLCXPKrPJ"}}')
    expect(bodyOf('{}', 'news', 'topic')).toBe('{"message":{"topic":"news"}}')
  })

  it('contains the values of any message unchanged', () => {
    void fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), fc.nat(2), (message, target, indent) => {
        const { fid: _fid, token: _token, topic: _topic, condition: _condition, ...rest } = message
        const body: unknown = JSON.parse(bodyOf(JSON.stringify(message, null, indent), target))
        const expected: unknown = JSON.parse(JSON.stringify({ message: { ...rest, [fieldOfToken(target)]: target } }))
        expect(body).toEqual(expected)
      }),
    )
  })
})
