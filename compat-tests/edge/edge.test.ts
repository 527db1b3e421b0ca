// Requests as bytes: methods, half-closed connections, pipelines, long heads, empty bodies. The edge in front of a node
// gives the recorded answers of that node. With CENTRIFUGO_BIN=/path/to/centrifugo the node is a real one.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Edge, listenAsNode, startEdge } from '../../tests/support/edge.ts'
import { exchange, parseResponses } from '../../tests/support/raw-exchange.ts'
import { startRealNode } from '../conformance/real-node.ts'
import { type Answer, answers } from './answers.ts'
import { RECORDED_KEY, requests } from './requests.ts'

/** A node keeps connections open without these headers. */
const NOT_COMPARED = new Set(['date', 'keep-alive'])
const PUBLISHED: Answer = {
  status: 200,
  headers: { 'content-type': 'application/json', 'content-length': '13' },
  body: '{"result":{}}',
}

let node: { address: string; key: string; stop(): Promise<void> }
let edge: Edge
beforeAll(async () => {
  const binary = process.env.CENTRIFUGO_BIN
  node = await (binary ? startRealNode(binary) : startRecordedNode())
  edge = await startEdge({ node: node.address, key: RECORDED_KEY, upstream: { apiKey: node.key } })
})
afterAll(async () => {
  await edge.stop()
  await node.stop()
})

/** A node that gives the recorded answers. */
async function startRecordedNode(): Promise<typeof node> {
  const key = 'key-of-the-recorded-node'
  const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    incoming.resume()
    const { status, headers, body } = recordedAnswer(incoming)
    outgoing.sendDate = false
    outgoing.writeHead(status, headers).end(body)
  }
  const started = await listenAsNode(createServer({ maxHeaderSize: 2 ** 21 }, onRequest))
  return { ...started, key }
}

function recordedAnswer({ method, url }: IncomingMessage): Answer {
  const [path = ''] = (url ?? '').split('?')
  if (path.startsWith('/api/')) return PUBLISHED
  const [answer] = answers.get(`${method} ${path}`) ?? []
  if (!answer) throw new Error(`the node was not asked ${method} ${path}`)
  return answer
}

test.each(requests.map((request) => [request.name, request] as const))('%s', async (name, { bytes, isHalfClosed }) => {
  const methods = [bytes.slice(0, bytes.indexOf(' '))]
  const responses = parseResponses(await exchange(edge.url, bytes, isHalfClosed), methods)
  expect(responses.map(comparable)).toEqual(answers.get(name)?.map(comparable))
})

/** Node.js says `keep-alive` where Go says nothing. */
function comparable({ status, headers, body }: Answer): Answer {
  const kept = Object.entries(headers).filter(
    ([name, value]) => !NOT_COMPARED.has(name) && !(name === 'connection' && value === 'keep-alive'),
  )
  return { status, headers: Object.fromEntries(kept), body }
}
