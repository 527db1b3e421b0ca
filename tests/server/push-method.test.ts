import { afterEach, describe, expect, test } from 'vitest'
import { ApiError } from '../../src/protocol/errors.ts'
import { EDGE_KEY, type Edge, startEdge } from '../support/edge.ts'
import { sendRaw } from '../support/raw-request.ts'

const TEXT = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }

let edge: Edge
afterEach(() => edge.stop())

function send(body: string | Buffer, headers: Record<string, string> = {}, path = '/api/device_register') {
  return sendRaw({ url: edge.url, path, headers: { 'x-api-key': EDGE_KEY, ...headers }, body })
}

describe('a request that can’t be decoded', () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  test.each([
    ['is empty', ''],
    ['is not JSON', '{'],
    ['has a field of a wrong type', '{"token":1}'],
    ['is nested 100,000 deep', `{"unknown":${deep}}`],
    ['has a second value', '{}{}'],
  ])('answers 400 and runs nothing when it %s', async (_, body) => {
    let runs = 0
    const device_register = async () => ({ runs: ++runs })
    edge = await startEdge({ handlers: { device_register } })
    const answer = await send(body)
    expect(answer).toMatchObject({ status: 400, headers: TEXT })
    expect(answer.body.toString()).toBe('Bad Request\n')
    expect(runs).toBe(0)
  })
})

test('a key like __proto__ is an ordinary key and changes no prototype', async () => {
  const device_register = async (request: object) => ({
    meta: 'meta' in request && request.meta instanceof Map ? [...request.meta.keys()] : [],
    isPolluted: 'polluted' in {},
  })
  edge = await startEdge({ handlers: { device_register } })
  const body = '{"__proto__":{"polluted":1},"constructor":1,"meta":{"__proto__":"a","toString":"b"}}'
  expect((await send(body)).body.toString()).toBe('{"result":{"meta":["__proto__","toString"],"isPolluted":false}}')
})

test('a result is escaped as a node escapes it', async () => {
  edge = await startEdge({ handlers: { device_register: async () => ({ id: '<a>&\u2028é' }) } })
  expect((await send('{}')).body.toString()).toBe('{"result":{"id":"\\u003ca\\u003e\\u0026\\u2028é"}}')
})

describe('an error', () => {
  const refuse = async () => {
    throw new ApiError('conflict', 'for the log only', { retryAfterSeconds: 3 })
  }

  test('is a reply with 200, and with Retry-After if the method has a delay', async () => {
    edge = await startEdge({ handlers: { device_register: refuse } })
    const { status, headers, body } = await send('{}')
    expect([status, headers['retry-after'], headers['content-type']]).toEqual([200, '3', 'application/json'])
    expect(body.toString()).toBe('{"error":{"code":113,"message":"conflict"}}')
  })

  test.each([
    ['by its configuration', true, {}, 409],
    ['by a header', false, { 'x-centrifugo-error-mode': 'transport' }, 409],
    ['but not by the header value in another case', false, { 'x-centrifugo-error-mode': 'TRANSPORT' }, 200],
  ])('is an HTTP status in the transport error mode, %s', async (_, transportErrors, headers, status) => {
    edge = await startEdge({ handlers: { device_register: refuse }, transportErrors })
    const answer = await send('{}', headers)
    expect(answer.status).toBe(status)
    if (status === 409) expect(answer.body.toString()).toBe('{"code":113,"message":"conflict"}')
  })

  test('that is unexpected is 100, and the next request is answered', async () => {
    const fail = () => Promise.reject(new Error('secret'))
    edge = await startEdge({ handlers: { device_register: fail } })
    expect((await send('{}')).body.toString()).toBe('{"error":{"code":100,"message":"internal server error"}}')
    expect((await send('{}', {}, '/api/cancel_push')).body.toString()).toBe('{"result":{}}')
  })
})

test('without a node, upstream methods answer 108', async () => {
  edge = await startEdge()
  expect((await send('{}', {}, '/api/publish')).body.toString()).toBe(
    '{"error":{"code":108,"message":"not available"}}',
  )
})
