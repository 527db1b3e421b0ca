// deploy/nginx.conf and deploy/Caddyfile with the real servers: which request goes where.
import { once } from 'node:events'
import { request } from 'node:http'
import { json, text } from 'node:stream/consumers'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeMethodTable } from '../../src/methods/table.ts'
import { findProgram } from '../support/installed-program.ts'
import { CADDY, type EdgeServer, NGINX, startEdgeServer, startNamedServer } from './edge-server.ts'

const NODE_METHODS = [...makeMethodTable(undefined).byName.keys()]
const PUSH_METHODS = [
  'device_register',
  'device_update',
  'device_remove',
  'device_list',
  'device_topic_list',
  'device_topic_update',
  'user_topic_list',
  'user_topic_update',
  'send_push_notification',
  'update_push_status',
  'cancel_push',
  'push_list',
  'push_info',
  'push_events',
  'explain_push',
  'ack_push',
  'publish_or_push',
]

const Received = v.object({ name: v.string(), url: v.string(), headers: v.record(v.string(), v.string()) })

/** Requests and who answers them. */
const ROUTES: [path: string, name: 'node' | 'centripush'][] = [
  ...PUSH_METHODS.map((name): [string, 'centripush'] => [`/api/${name}`, 'centripush']),
  ...NODE_METHODS.map((name): [string, 'node'] => [`/api/${name}`, 'node']),
  ['/api', 'centripush'],
  ['/api/batch', 'centripush'],
  ['/push/ack', 'centripush'],
  ['/push/device_register', 'centripush'],
  ['/proxy/rpc', 'centripush'],
  ['/proxy/rpcs', 'node'],
  ['/api/publish?api_key=k', 'node'],
  ['/api/sending', 'node'],
  ['/connection/sse?cf_connect=%7B%7D', 'node'],
  ['/connection/http_stream', 'node'],
  ['/emulation', 'node'],
  ['/', 'node'],
  ['/health', 'node'],
]

describe.each([NGINX, CADDY])('$program', (edge) => {
  const program = findProgram([edge.program], edge.program)
  if (!program) {
    const missing = `${edge.program} is not installed (Debian: apt-get install ${edge.program})`
    if (process.env.CI === 'true') throw new Error(missing)
    console.warn(`SKIPPED: ${missing}`)
  }

  describe.skipIf(!program)('with the file of deploy/', () => {
    let server: EdgeServer
    const stops: (() => Promise<void>)[] = []
    beforeAll(async () => {
      const [node, centripush] = await Promise.all([startNamedServer('node'), startNamedServer('centripush')])
      server = await startEdgeServer(edge, { node: node.port, centripush: centripush.port })
      stops.push(server.stop, node.stop, centripush.stop)
    })
    afterAll(async () => {
      for (const stop of stops) await stop()
    })

    const post = async (path: string) => {
      const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method: 'POST', body: '{}' })
      return v.parse(Received, await answer.json())
    }

    test('sends each request to the node or to centripush, with its path unchanged', async () => {
      const answers = await Promise.all(ROUTES.map(([path]) => post(path)))
      expect(answers.map(({ name, url }) => [url, name])).toEqual(ROUTES)
    })

    test('tells centripush the address of the client, and the host that it asked for', async () => {
      const { headers } = await post('/api/batch')
      expect(headers['x-forwarded-for']).toBe('127.0.0.1')
      expect(headers.host).toContain('127.0.0.1')
    })

    test('passes WebSocket handshakes on to the node', async () => {
      const handshake = request(`http://127.0.0.1:${server.port}/connection/websocket`, {
        headers: { connection: 'Upgrade', upgrade: 'websocket' },
      }).end()
      const [, socket, head] = await once(handshake, 'upgrade')
      expect(String(head) + (await text(socket))).toBe('node /connection/websocket')
    })

    test('keeps the endpoint of the RPC proxy from other addresses', async () => {
      const outgoing = request(`http://127.0.0.1:${server.port}/proxy/rpc`, {
        method: 'POST',
        localAddress: '127.0.0.2',
      })
      const [answer] = await once(outgoing.end('{}'), 'response')
      expect(answer.statusCode).toBe(403)
      answer.resume()
      const other = request(`http://127.0.0.1:${server.port}/api/publish`, { localAddress: '127.0.0.2' })
      const [allowed] = await once(other.end(), 'response')
      expect(await json(allowed)).toMatchObject({ name: 'node' })
    })
  })
})
