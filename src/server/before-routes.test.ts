import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { NodePaths } from '../upstream/node-paths.ts'
import { makeBeforeRoutes } from './before-routes.ts'
import { LargeHeads } from './large-heads.ts'

test('long URLs beyond the shared bytes are 503 with Retry-After, until earlier ones are answered', async () => {
  const streams: ServerResponse[] = []
  const server = createServer({ maxHeaderSize: 1024 * 1024 })
  const heads = new LargeHeads(server, 'connection', 250_000)
  const paths = new NodePaths({ connections: [], sse: ['/connection/sse'], admin: undefined })
  const pass = (_: unknown, outgoing: ServerResponse) => {
    streams.push(outgoing)
    outgoing.flushHeaders()
  }
  const handle = makeBeforeRoutes({ via: undefined, sse: { heads, clients: { paths, pass } } })
  server.on('request', (incoming, outgoing) => {
    if (!handle(incoming, outgoing)) outgoing.end()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address?.port}/connection/sse`
  const ask = (bytes: number) => fetch(`${url}?cf_connect=${'x'.repeat(bytes)}`)
  expect((await ask(100_000)).status).toBe(200)
  expect((await ask(100_000)).status).toBe(200)
  const refused = await ask(100_000)
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
  expect((await ask(1000)).status).toBe(200)
  const [first] = streams
  if (!first) throw new Error('no stream')
  const closed = once(first, 'close')
  first.end()
  await closed
  expect((await ask(100_000)).status).toBe(200)
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})
