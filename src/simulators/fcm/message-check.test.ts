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
  })

  it.each([
    ['invalid JSON', '{'],
    ['no message', '{}'],
    ['a message that is a list', '{"message":[]}'],
    ['no target', '{"message":{}}'],
    ['two targets', '{"message":{"token":"t","topic":"t"}}'],
    ['an empty token', '{"message":{"token":""}}'],
    ['data with a number', '{"message":{"token":"t","data":{"a":1}}}'],
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
