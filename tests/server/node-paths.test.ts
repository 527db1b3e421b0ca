// The paths of the node that clients reach: its endpoints, as its configuration names them, and its admin web UI.
import { afterEach, describe, expect, test } from 'vitest'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { findFreePort } from '../support/centripush-process.ts'
import { answerWith, startNode, type TestNode } from '../support/edge.ts'
import { exchange } from '../support/raw-exchange.ts'
import { sendRaw } from '../support/raw-request.ts'

/** Push is disabled in these tests, so nothing connects to it. */
const NO_DATABASE = 'postgres://nowhere.invalid/none'

let node: TestNode
let server: TestAssembly
afterEach(async () => {
  await server.stop(0)
  await node.stop()
})

/** Starts a server with these options, in front of a node that answers every request. */
async function start(options: Record<string, object> = {}, upstream: object = {}): Promise<void> {
  node = await startNode((_, outgoing) => answerWith(outgoing, '{}'))
  server = await startAssembly(NO_DATABASE, {
    push_notifications: { enabled: false },
    ...options,
    upstream: { address: node.address, ...upstream },
  })
}

/** The paths of a list that the node is asked for. */
async function passedOf(paths: string[], url = server.url): Promise<string[]> {
  node.requests.length = 0
  for (const path of paths) await sendRaw({ url, method: 'GET', path })
  return node.requests.map((request) => request.url)
}

describe('endpoints', () => {
  test('have the paths of a node by default', async () => {
    await start()
    const paths = ['websocket', 'sse', 'http_stream', 'uni_websocket', 'uni_sse', 'uni_http_stream', 'init']
    const connections = [...paths.map((path) => `/connection/${path}`), '/emulation']
    expect(await passedOf([...connections, '/', '/events', '/admin/init', '/emulation/x'])).toEqual(connections)
  })

  test('have the configured paths too, and no paths below these', async () => {
    await start({
      websocket: { handler_prefix: '/ws/' },
      sse: { handler_prefix: '/events' },
      emulation: { handler_prefix: '/commands' },
      uni_http_stream: { handler_prefix: '/a/b' },
    })
    const passed = await passedOf(['/ws', '/events', '/commands', '/a/b', '/ws/x', '/a', '/health', '/connection/sse'])
    expect(passed).toEqual(['/ws', '/events', '/commands', '/a/b', '/connection/sse'])
  })

  test('include WebSocket handshakes, and long URLs of SSE', async () => {
    await start({ websocket: { handler_prefix: '/ws' }, uni_sse: { handler_prefix: '/events' } })
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'
    await exchange(server.url, `GET /ws HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`, true)
    expect(node.requests).toMatchObject([{ url: '/ws', headers: { upgrade: 'websocket' } }])
    const { status } = await sendRaw({
      url: server.url,
      method: 'GET',
      path: `/events?cf_connect=${'x'.repeat(100_000)}`,
    })
    expect(status).toBe(200)
  })

  test('at the root take all paths that centripush has not', async () => {
    await start({ uni_sse: { handler_prefix: '/' } })
    expect(await passedOf(['/', '/any/thing', '/health', '/api/publish'])).toEqual(['/', '/any/thing'])
  })
})

describe('the admin web UI', () => {
  const UI = ['/', '/assets/index-1.js', '/favicon.png', '/index.html', '/admin/init', '/admin/auth', '/admin/api']
  const OTHERS = ['/health', '/metrics', '/debug/pprof/', '/swagger/', '/assets', '/admin', '/x', '/.env.d/x']

  test('is not passed on by default', async () => {
    await start()
    expect(await passedOf([...UI, ...OTHERS])).toEqual([])
  })

  test('is passed on from the root, without the other endpoints that a node has there', async () => {
    await start({}, { admin_handler_prefix: '/' })
    expect(await passedOf([...UI, ...OTHERS])).toEqual(UI)
  })

  test('is passed on from a prefix, with everything below it', async () => {
    await start({}, { admin_handler_prefix: '/node/' })
    const below = ['/node/', '/node/admin/init', '/node/any/thing']
    expect(await passedOf([...below, ...UI, '/node', '/nodes/'])).toEqual(below)
  })

  test('is on the internal port only when there is one', async () => {
    const http_server = { internal_address: '127.0.0.1', internal_port: await findFreePort() }
    await start({ http_server }, { admin_handler_prefix: '/' })
    const [external = '', internal = ''] = server.urls
    expect(await passedOf([...UI, '/connection/sse'], external)).toEqual(['/connection/sse'])
    expect(await passedOf([...UI, '/connection/sse'], internal)).toEqual(UI)
  })

  test('gets the credentials of the browser', async () => {
    await start({}, { admin_handler_prefix: '/' })
    await sendRaw({ url: server.url, path: '/admin/api', headers: { authorization: 'token abc' }, body: '{}' })
    expect(node.requests).toMatchObject([{ method: 'POST', headers: { authorization: 'token abc' }, body: '{}' }])
  })
})
