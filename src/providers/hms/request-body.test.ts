import { describe, expect, it } from 'vitest'
import { ByteWriter } from '../../http2/frames/byte-writer.ts'
import type { TargetKind } from '../../sends/recipient.ts'
import { readMessage } from './request-body.ts'

function bodyOf(message: string, targets: string[], kind: TargetKind = 'token'): string {
  const out = new ByteWriter()
  readMessage(Buffer.from(message), kind).writeBody(targets, out)
  return out.take().toString()
}

describe('the body of an HMS request', () => {
  it.each([
    ['{"android":{"n":1.0}}', ['a', 'b'], '{"message":{"token":["a","b"],"android":{"n":1.0}}}'],
    [' {  } ', ['a'], '{"message":{"token":["a"]}}'],
    ['{}', ['a"\\b', 'ü'], '{"message":{"token":["a\\"\\\\b","ü"]}}'],
    ['{"token":["mine"],"data":"x"}', ['a'], '{"message":{"token":["a"],"data":"x"}}'],
  ])('lists the tokens beside the members of %s', (message, tokens, expected) => {
    expect(JSON.parse(bodyOf(message, tokens))).toEqual(JSON.parse(expected))
  })

  it('lists a thousand tokens in their order, also those that need escapes', () => {
    const tokens = Array.from({ length: 1000 }, (_, index) => (index % 301 === 0 ? `"${index}` : `token-${index}`))
    expect(JSON.parse(bodyOf('{"data":"x"}', tokens))).toEqual({ message: { token: tokens, data: 'x' } })
  })

  it('keeps the bytes of the message', () => {
    const members = String.raw` "data" : "\u00e9\/" , "android":{"n":12345678901234567890,"f":1.0,"f":1.00} `
    expect(bodyOf(`{${members}}`, ['a'])).toBe(`{"message":{"token":["a"],${members}}}`)
  })

  it('has a string for a topic or a condition', () => {
    expect(bodyOf('{"data":"x"}', ['news'], 'topic')).toBe('{"message":{"topic":"news","data":"x"}}')
    const condition = `'a' in topics && 'b' in topics`
    expect(bodyOf('{}', [condition], 'condition')).toBe(`{"message":{"condition":"${condition}"}}`)
  })

  it.each([
    [4096, false],
    [4097, true],
  ])('with a message of %i bytes without white space is too large: %s', (bytes, isTooLarge) => {
    const members = JSON.stringify({ data: 'x'.repeat(bytes - '{"data":""}'.length) })
    expect(readMessage(Buffer.from(members), 'token').isTooLarge).toBe(isTooLarge)
    expect(readMessage(Buffer.from(members.replace(':', `:${' '.repeat(500)}`)), 'token').isTooLarge).toBe(isTooLarge)
  })
})
