// The recorded calls, twice: through the node of the tests, to show that it behaves as the recorded one, and byte for
// byte to the endpoint of centripush.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { Centrifuge } from 'centrifuge'
import { WebSocket } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clientError, PROXY_KEY, RealtimeRig } from '../../tests/realtime/realtime-rig.ts'
import { sendRaw } from '../../tests/support/raw-request.ts'
import { toolsOf } from '../sdk/toolchain.ts'
import { RECORDED_CALLS, type RecordedCall } from './recorded-calls.ts'
import { makeToken, type ProxyOptions, prepareTestNode, type TestNode } from './test-node.ts'

const toolchain = await prepareTestNode()

describe('the endpoint of centripush answers the bytes that a real node sent', () => {
  const rig = new RealtimeRig()
  const done = { result: { data: {} } }
  const badRequest = clientError(107, 'bad request')
  const unknown = clientError(104, 'not found')
  /** The answer by the name of the call; a bad request unless it is here. */
  const answers: Record<string, object> = {
    'object data': done,
    'method with dots and unicode': unknown,
    'meta of the connection, client sends a header of the same name as a static one': done,
    'binary encoding': done,
    'binary encoding, data in the answer': done,
    'anonymous connection': clientError(103, 'permission denied'),
  }
  const calls = RECORDED_CALLS.filter(({ request }) => request !== null)

  test(`${calls.length} of ${RECORDED_CALLS.length} calls reach a proxy`, () => {
    expect([calls.length, RECORDED_CALLS.length]).toEqual([21, 24])
    expect(Object.keys(answers).filter((name) => !calls.some((call) => call.name === name))).toEqual([])
  })

  test.each(calls)('$name', async ({ name, request }) => {
    if (!request) throw new Error('the call has a request')
    const { host: _, ...headers } = request.headers
    const answer = await sendRaw({
      url: rig.url,
      path: request.path,
      headers: { ...headers, 'x-centripush-proxy-key': PROXY_KEY },
      body: Buffer.from(request.body),
    })
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json'])
    expect(JSON.parse(answer.body.toString())).toEqual(answers[name] ?? badRequest)
  })
})

describe.skipIf(toolchain.missing)('the node of the tests behaves as the recorded one', () => {
  let node: TestNode
  let recorded: RecordedCall | undefined
  const received: string[] = []
  const endpoint = createServer((incoming, outgoing) => {
    text(incoming).then(
      (body) => answer(body, outgoing),
      () => outgoing.destroy(),
    )
  })

  function answer(body: string, outgoing: ServerResponse): void {
    received.push(body)
    if (!recorded) return void outgoing.destroy()
    const { status, body: answered, delay_ms } = recorded.answer
    setTimeout(() => outgoing.writeHead(status, { 'content-type': 'application/json' }).end(answered), delay_ms)
  }

  beforeAll(async () => {
    endpoint.listen(0, '127.0.0.1')
    await once(endpoint, 'listening')
    const bound = endpoint.address()
    const port = typeof bound === 'object' && bound ? bound.port : 0
    const proxy: ProxyOptions = {
      endpoint: `http://127.0.0.1:${port}/proxy/rpc`,
      timeout_ms: 1000,
      static_headers: { 'X-Centripush-Proxy-Key': 'pk' },
    }
    node = await toolsOf(toolchain)({
      push: proxy,
      meta: { ...proxy, include_connection_meta: true, http_headers: ['User-Agent', 'X-Centripush-Proxy-Key'] },
      bin: { ...proxy, binary_encoding: true },
      off: {},
    })
  })
  afterAll(async () => {
    await node.stop()
    endpoint.close()
    endpoint.closeAllConnections()
  })

  test.each(RECORDED_CALLS)('$name', async (call) => {
    recorded = call
    received.length = 0
    const sent = call.request && JSON.parse(call.request.body)
    const user = sent ? sent.user : '42'
    const client = new Centrifuge(`${node.address.replace('http', 'ws')}/connection/websocket`, {
      websocket: WebSocket,
      // The test reads the events of one connection.
      minReconnectDelay: 60_000,
      ...(user !== '' && { token: await makeToken(user, { meta: sent?.meta ?? { app: 'shop', n: 1 } }) }),
    })
    const disconnected = new Promise((resolve) => client.once('disconnected', resolve))
    client.connect()
    try {
      const got = await client.rpc(call.rpc.method, call.rpc.data).then(
        // The recording is JSON, in which an absent value is null.
        (result) => ({ data: result.data ?? null }),
        (error: unknown) => ({ error }),
      )
      expect(got).toMatchObject(call.client_gets)
      expect(received.map((body) => body.replace(/"client":"[^"]+"/, '"client":"CLIENT"'))).toEqual(
        call.request ? [call.request.body] : [],
      )
      if (call.client_disconnected) expect(await disconnected).toMatchObject(call.client_disconnected)
    } finally {
      client.disconnect()
    }
  })
})
