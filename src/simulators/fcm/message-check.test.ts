import { describe, expect, it } from 'vitest'
import { checkMessage } from './message-check.ts'

function refusalOf(body: string): unknown {
  const checked = checkMessage(body)
  return 'refusal' in checked ? JSON.parse(checked.refusal.body).error : undefined
}

function withData(bytes: number, target: object): string {
  return JSON.stringify({ message: { ...target, data: { k: 'x'.repeat(bytes - 1) } } })
}

describe('the check of a message', () => {
  it('returns the target', () => {
    expect(checkMessage('{"message":{"token":"t"}}')).toEqual({ target: { kind: 'token', value: 't' } })
    expect(checkMessage('{"message":{"topic":"t","data":{"a":"1"}}}')).toEqual({
      target: { kind: 'topic', value: 't' },
    })
    expect(checkMessage('{"validate_only":false,"message":{"fid":"t"}}')).toEqual({
      target: { kind: 'fid', value: 't' },
    })
  })

  it.each([
    ['invalid JSON', '{'],
    ['no message', '{}'],
    ['a message that is a list', '{"message":[]}'],
    ['no target', '{"message":{}}'],
    ['two targets', '{"message":{"token":"t","topic":"t"}}'],
    ['an empty token', '{"message":{"token":""}}'],
    ['data with a number', '{"message":{"token":"t","data":{"a":1}}}'],
    ['a field beside the message', '{"message":{"token":"t"},"to":"x"}'],
    ['an unknown field', '{"message":{"token":"t","notification":{"title":"a","sound":"default"}}}'],
    ['a nested message', '{"message":{"token":"t","message":{"notification":{"title":"a"}}}}'],
    ['to', '{"message":{"token":"t","to":"/topics/x"}}'],
    ['a ttl that is a number', '{"message":{"token":"t","android":{"ttl":3600}}}'],
    ['a ttl without its unit', '{"message":{"token":"t","android":{"ttl":"4500"}}}'],
    ['a reserved key', '{"message":{"token":"t","data":{"from":"x"}}}'],
    ['a topic of the legacy API', '{"message":{"topic":"/topics/news"}}'],
    ['a topic with a space', '{"message":{"topic":"new s"}}'],
    ['a condition that is none', '{"message":{"condition":"a in topics"}}'],
    ['two spellings of a target', '{"message":{"token":"t","token":"u"}}'],
  ])('refuses %s as a bad request', (_what, body) => {
    expect(refusalOf(body)).toMatchObject({
      code: 400,
      status: 'INVALID_ARGUMENT',
      details: [{ '@type': 'type.googleapis.com/google.rpc.BadRequest' }],
    })
  })

  it('allows 4,096 bytes to a token and 2,048 to a topic', () => {
    for (const [target, limit] of [[{ token: 't' }, 4096] as const, [{ topic: 't' }, 2048] as const]) {
      expect(refusalOf(withData(limit, target))).toBeUndefined()
      expect(refusalOf(withData(limit + 1, target))).toMatchObject({ details: [{ errorCode: 'INVALID_ARGUMENT' }] })
    }
  })
})
