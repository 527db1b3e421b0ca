import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { answerWith, EDGE_KEY, type Edge, startEdge, startNode, type TestNode } from '../support/edge.ts'
import { sendRaw } from '../support/raw-request.ts'

const BAD_REQUEST = '"error":{"code":107,"message":"bad request"}'
const INTERNAL = '"error":{"code":100,"message":"internal server error"}'
/** Contains white space, so that the test detects a reply that was decoded and encoded again. */
const REPLY = '{"result": {}}'

let node: TestNode
let edge: Edge
let order: string[]
let isGarbage = false

beforeAll(async () => {
  node = await startNode((request, outgoing) => {
    order.push(request.body)
    const replies = Array(request.body.split('\n').length).fill(REPLY).join('\n')
    answerWith(outgoing, isGarbage ? 'garbage' : replies)
  })
  const cancel_push = async () => {
    order.push('cancel_push')
    return {}
  }
  edge = await startEdge({ node: node.address, handlers: { cancel_push } })
})
afterAll(async () => {
  await edge.stop()
  await node.stop()
})
beforeEach(() => {
  order = []
  isGarbage = false
})

async function send(body: string) {
  const answer = await sendRaw({ url: edge.url, path: '/api', headers: { 'x-api-key': EDGE_KEY }, body })
  return { status: answer.status, text: answer.body.toString('utf8') }
}

test('consecutive upstream commands are one request, in order, with unchanged bytes in both directions', async () => {
  const publish = '{"id":1, "method":"publish","params":{"data":1.0}}'
  expect(await send(`${publish}\n{"method":0} {"id":7,"method":"Cancel_Push","params":{}}\n${publish}\n`)).toEqual({
    status: 200,
    text: `${REPLY}\n${REPLY}\n{"id":7,"result":{}}\n${REPLY}`,
  })
  expect(order).toEqual([`${publish}\n{"method":0}`, 'cancel_push', publish])
})

test.each([
  ['the number', '{"method":32,"params":{}}', '{"result":{}}'],
  ['the number plus 2^32', '{"method":4294967328,"params":{}}', '{"result":{}}'],
  ['null params', '{"method":32,"params":null}', '{"result":{}}'],
  ['no params', '{"id":4,"method":32}', `{"id":4,${BAD_REQUEST}}`],
  ['invalid params', '{"id":4,"method":32,"params":[]}', `{"id":4,${BAD_REQUEST}}`],
  ['fields in another case', '{"ID":4,"Method":32,"PARAMS":{}}', '{"id":4,"result":{}}'],
])('a push command with %s is answered', async (_, body, text) => {
  expect(await send(body)).toEqual({ status: 200, text })
})

test.each([
  ['a line that is not JSON', '{"method":"publish","params":{}}\n{"method":32,"params":{}}\nhello', 2],
  ['a method with an unknown name', '{"method":32,"params":{}}\n{"method":"nosuch"}\n{"method":32,"params":{}}', 1],
  ['a null method', '{"method":32,"params":{}}\n{"method":null}', 1],
  ['an id of another type', '{"method":32,"params":{}}\n{"id":"1","method":32,"params":{}}', 1],
])('%s answers 400 after the commands before it have run', async (_, body, count) => {
  expect(await send(body)).toEqual({ status: 400, text: 'Bad Request\n' })
  expect(order).toHaveLength(count)
})

test('a body without push commands is forwarded with unchanged bytes', async () => {
  const body = ' {"method":"publish","params":{}}\n\n{"method":"nosuch"} broken'
  await send(body)
  expect(order).toEqual([body])
})

test('without a node, upstream commands answer 108 unless they have another error', async () => {
  const alone = await startEdge()
  const body = '{"method":0,"params":{}} {"method":0} {"method":999} {"method":32,"params":{}}'
  const answer = await sendRaw({ url: alone.url, path: '/api', headers: { 'x-api-key': EDGE_KEY }, body })
  expect(answer.body.toString()).toBe(
    `{"error":{"code":108,"message":"not available"}}\n{${BAD_REQUEST}}\n` +
      '{"error":{"code":104,"message":"not found"}}\n{"result":{}}',
  )
  await alone.stop()
})

test('an invalid answer of the node is error 100 for each command of its group, with their ids', async () => {
  isGarbage = true
  const { text } = await send('{"id":1,"method":0,"params":{}}{"id":2,"method":0,"params":{}}{"method":32,"params":{}}')
  expect(text).toBe(`{"id":1,${INTERNAL}}\n{"id":2,${INTERNAL}}\n{"result":{}}`)
})

test('more than 100,000 commands are refused before one of them runs', async () => {
  const push = '{"id":1,"method":"cancel_push","params":{}}'
  expect((await send(push + '{}'.repeat(99_999))).status).toBe(200)
  expect(order[0]).toBe('cancel_push')
  order = []
  expect(await send(push + '{}'.repeat(100_000))).toEqual({ status: 400, text: 'Bad Request\n' })
  expect(order).toEqual([])
})
