import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ApiError } from '../../src/protocol/errors.ts'
import {
  answerWith,
  EDGE_KEY,
  type Edge,
  type Handlers,
  NODE_KEY,
  startEdge,
  startNode,
  type TestNode,
} from '../support/edge.ts'
import { sendRaw } from '../support/raw-request.ts'

const INTERNAL = '{"error":{"code":100,"message":"internal server error"}}'
/** Bytes that no encoder would reproduce. They must be passed on unchanged. */
const REPLY = '{"publish": {"offset":1.0e3,"epoch":"\\u0061"}}'
const headers = { 'x-api-key': EDGE_KEY, 'x-custom': 'kept' }

let node: TestNode
let edge: Edge
let order: string[]
let answer: string | undefined

beforeEach(async () => {
  order = []
  answer = undefined
  node = await startNode((request, outgoing) => {
    order.push(request.body)
    const count = request.body.split('"publish"').length - 1
    answerWith(outgoing, answer ?? `{"replies":[${Array(count).fill(REPLY).join(',')}]}`)
  })
})
afterEach(async () => {
  await edge.stop()
  await node.stop()
})

async function start(handlers: Handlers = {}): Promise<void> {
  const register = async (request: object) => {
    order.push('device_register')
    return { id: 'token' in request ? request.token : '' }
  }
  edge = await startEdge({ node: node.address, handlers: { device_register: register, ...handlers } })
}

async function sendBatch(body: string) {
  const { status, body: bytes } = await sendRaw({ url: edge.url, path: '/api/batch', headers, body })
  return { status, text: bytes.toString('utf8') }
}

describe('a batch with push commands', () => {
  test('sends consecutive upstream commands as one batch, with unchanged bytes in both directions', async () => {
    await start()
    const publish = '{"publish": {"channel":"a","data":{"n":12345678901234567890123, "x":1.0}}}'
    const body = `{"commands":[${publish}, ${publish} ,{"Device_Register":{"token":"t"}},${publish}]}`
    expect(await sendBatch(body)).toEqual({
      status: 200,
      text: `{"replies":[${REPLY},${REPLY},{"device_register":{"id":"t"}},${REPLY}]}`,
    })
    expect(order).toEqual([`{"commands":[${publish},${publish}]}`, 'device_register', `{"commands":[${publish}]}`])
    expect(node.requests.every((request) => request.headers['x-api-key'] === NODE_KEY)).toBe(true)
  })

  test('runs all steps at once when it is parallel, and answers in the order of the commands', async () => {
    const nodeAsked = once(node.server, 'request')
    // Resolves only if the later upstream command is sent while this command runs.
    await start({ device_register: () => nodeAsked.then(() => ({ id: 'd' })) })
    const body = '{"parallel":true,"commands":[{"device_register":{}},{"publish":{}},{"publish":{}}]}'
    expect(await sendBatch(body)).toEqual({
      status: 200,
      text: `{"replies":[{"device_register":{"id":"d"}},${REPLY},${REPLY}]}`,
    })
    expect(order).toEqual(['{"commands":[{"publish":{}},{"publish":{}}],"parallel":true}'])
  })

  test.each([
    ['a push command', '{"commands":[{"publish":{}},{"device_register":{}},{"device_register":{"topics":1}}]}'],
    ['an upstream command', '{"commands":[{"device_register":{}},{"publish":{"version":-1}}]}'],
    ['a second method of a command', '{"commands":[{"device_register":{},"cancel_push":5}]}'],
    ['a command', '{"commands":[{"device_register":{}},"publish"]}'],
    ['the frame', '{"commands":[{"device_register":{}}],"parallel":"true"}'],
    ['the JSON', '{"commands":[{"device_register":{}}]'],
  ])('runs nothing and answers 400 when %s can’t be decoded', async (_, body) => {
    await start()
    expect(await sendBatch(body)).toEqual({ status: 400, text: 'Bad Request\n' })
    expect(order).toEqual([])
  })

  test('treats a command with an upstream method and a push method as an upstream command', async () => {
    await start()
    await sendBatch('{"commands":[{"device_register":{},"publish":{}},{"cancel_push":{}}]}')
    expect(order).toEqual(['{"commands":[{"device_register":{},"publish":{}}]}'])
  })

  test('runs the first of two push methods in the order of api.proto, and ignores a null method', async () => {
    await start()
    const body = '{"commands":[{"cancel_push":{},"device_register":{}},{"device_register":null,"cancel_push":{}}]}'
    expect((await sendBatch(body)).text).toBe('{"replies":[{"device_register":{"id":""}},{"cancel_push":{}}]}')
  })

  test('answers an error of a method, expected or not, for its command only', async () => {
    await start({
      device_register: () => Promise.reject(new ApiError('conflict', 'test')),
      cancel_push: () => Promise.reject(new Error('test')),
    })
    const { text } = await sendBatch('{"commands":[{"device_register":{}},{"cancel_push":{}},{"publish":{}}]}')
    expect(text).toBe(`{"replies":[{"error":{"code":113,"message":"conflict"}},${INTERNAL},${REPLY}]}`)
  })

  test.each([
    ['one reply too few', '{"replies":[{"publish":{}}]}'],
    ['one reply too many', '{"replies":[{"publish":{}},{"publish":{}},{"publish":{}}]}'],
    ['invalid JSON', '<html>'],
    ['no list of replies', '[]'],
  ])('answers error 100 for each command of a group when the node’s answer has %s', async (_, invalid) => {
    await start()
    answer = invalid
    const { text } = await sendBatch('{"commands":[{"publish":{}},{"publish":{}},{"device_register":{}}]}')
    expect(text).toBe(`{"replies":[${INTERNAL},${INTERNAL},{"device_register":{"id":""}}]}`)
  })

  test('waits for the node no longer than configured', async () => {
    await node.stop()
    node = await startNode(() => {}, node.port)
    edge = await startEdge({ node: node.address, upstream: { timeoutMs: 100 } })
    const { text } = await sendBatch('{"commands":[{"publish":{}},{"device_register":{}}]}')
    expect(text).toBe(`{"replies":[${INTERNAL},{"device_register":{}}]}`)
  })

  test('runs push commands while the node is not reachable, and upstream commands when it is again', async () => {
    await start()
    const body = '{"commands":[{"publish":{}},{"device_register":{}}]}'
    await node.stop()
    expect((await sendBatch(body)).text).toBe(`{"replies":[${INTERNAL},{"device_register":{"id":""}}]}`)
    node = await startNode((_, outgoing) => answerWith(outgoing, `{"replies":[${REPLY}]}`), node.port)
    expect((await sendBatch(body)).text).toBe(`{"replies":[${REPLY},{"device_register":{"id":""}}]}`)
  })
})

test('a batch without push commands is forwarded with unchanged bytes and headers', async () => {
  await start()
  const body = ' {"commands" : [ {"publish":{}} , null, {"nosuch":1}] } '
  await sendBatch(body)
  expect(node.requests).toMatchObject([{ url: '/api/batch', body, headers: { 'x-custom': 'kept' } }])
})

test('without a node, upstream commands answer 108 unless they have another error', async () => {
  edge = await startEdge()
  const { text } = await sendBatch('{"commands":[{"publish":{}},null,{"nosuch":{}},{"cancel_push":{}}]}')
  const errors = [
    '{"error":{"code":108,"message":"not available"}}',
    '{"error":{"code":107,"message":"bad request"}}',
    '{"error":{"code":104,"message":"not found"}}',
  ]
  expect(text).toBe(`{"replies":[${errors.join(',')},{"cancel_push":{}}]}`)
})
