// The reason of an error for the client: in a header, and with the option in the error object, beside Centrifugo's code
// and message.
import { afterEach, expect, test } from 'vitest'
import { ApiError } from '../../src/protocol/errors.ts'
import { EDGE_KEY, type Edge, startEdge } from '../support/edge.ts'

const WHY = 'locale: not a BCP 47 language tag – „ü“'
const HEADER = 'x-centripush-error-details'
const SHOWN = 'locale: not a BCP 47 language tag ? ???'

let edge: Edge | undefined
afterEach(async () => {
  await edge?.stop()
})

async function start(errorDetails: boolean, error: Error = new ApiError('badRequest', WHY)): Promise<void> {
  edge = await startEdge({ errorDetails, handlers: { device_register: () => Promise.reject(error) } })
}

function post(path: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${edge?.url}${path}`, { method: 'POST', headers: { 'x-api-key': EDGE_KEY, ...headers }, body })
}

test('a header has the reason, and the body stays that of a node', async () => {
  await start(false)
  const answer = await post('/api/device_register', '{}')
  expect(await answer.text()).toBe('{"error":{"code":107,"message":"bad request"}}')
  expect(answer.headers.get(HEADER)).toBe(SHOWN)
})

test('the transport error mode has the header too', async () => {
  await start(false)
  const answer = await post('/api/device_register', '{}', { 'x-centrifugo-error-mode': 'transport' })
  expect([answer.status, await answer.text()]).toEqual([400, '{"code":107,"message":"bad request"}'])
  expect(answer.headers.get(HEADER)).toBe(SHOWN)
})

test('with the option, every error object has the reason: of methods, batches and legacy commands', async () => {
  await start(true)
  const error = { code: 107, message: 'bad request', details: WHY }
  expect(await (await post('/api/device_register', '{}')).json()).toEqual({ error })
  const batch = '{"commands":[{"device_register":{}},{"publish":{}}]}'
  expect(await (await post('/api/batch', batch)).json()).toMatchObject({
    replies: [{ error }, { error: { code: 108 } }],
  })
  const command = '{"id":7,"method":"device_register","params":{}}'
  expect(await (await post('/api', command)).json()).toEqual({ id: 7, error })
})

test('a request that cannot be decoded has the path of the field', async () => {
  await start(true)
  const answer = await post('/api/device_register', '{"meta":{"age":30}}')
  expect([answer.status, await answer.text()]).toEqual([400, 'Bad Request\n'])
  expect(answer.headers.get(HEADER)).toBe('meta.age: expected a string but found number')
})

test('errors of the server itself have no reason', async () => {
  await start(true, new Error('a secret of the server'))
  const answer = await post('/api/device_register', '{}')
  expect(await answer.text()).toBe('{"error":{"code":100,"message":"internal server error"}}')
  expect(answer.headers.has(HEADER)).toBe(false)
})
