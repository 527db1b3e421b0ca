// Checks of keys and paths that the recorded vectors don't cover. The cases follow the node's source and Go's net/http.
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EDGE_KEY, type Edge, startEdge } from '../support/edge.ts'
import { sendRaw } from '../support/raw-request.ts'

let edge: Edge
beforeAll(async () => {
  edge = await startEdge({ key: EDGE_KEY })
})
afterAll(() => edge.stop())

describe('the key', () => {
  test.each([
    ['in X-API-Key', { 'x-api-key': EDGE_KEY }, '', 200],
    ['in the first of two X-API-Key', { 'x-api-key': [EDGE_KEY, 'other'] }, '', 200],
    ['in the second of two X-API-Key', { 'x-api-key': ['other', EDGE_KEY] }, '', 401],
    ['in Authorization', { authorization: `apikey ${EDGE_KEY}` }, '', 200],
    ['in Authorization with a tab and another case', { authorization: `ApiKey\t${EDGE_KEY}` }, '', 200],
    ['alone in Authorization', { authorization: EDGE_KEY }, '', 401],
    ['in Authorization with a wrong X-API-Key', { 'x-api-key': 'x', authorization: `apikey ${EDGE_KEY}` }, '', 401],
    ['in Authorization with an empty X-API-Key', { 'x-api-key': '', authorization: `apikey ${EDGE_KEY}` }, '', 200],
    ['in the query', {}, `?api_key=${EDGE_KEY}`, 200],
    ['in the query with a wrong X-API-Key', { 'x-api-key': 'x' }, `?a=1&api_key=${EDGE_KEY}`, 200],
    ['in the query under another name', {}, `?API_KEY=${EDGE_KEY}`, 401],
    ['without its first character', { 'x-api-key': EDGE_KEY.slice(1) }, '', 401],
    ['empty in the query', {}, '?api_key=', 401],
  ])('%s', async (_, headers, query, status) => {
    const answer = await sendRaw({ url: edge.url, path: `/api/cancel_push${query}`, headers, body: '{}' })
    expect(answer.status).toBe(status)
    if (status === 401) expect(answer.body).toHaveLength(0)
  })

  test('may contain non-ASCII characters, as UTF-8', async () => {
    const key = 'clé'
    const own = await startEdge({ key })
    const headers = { 'x-api-key': Buffer.from(key).toString('latin1') }
    expect((await sendRaw({ url: own.url, path: '/api/cancel_push', headers, body: '{}' })).status).toBe(200)
    await own.stop()
  })

  test('rejects all requests when it is empty', async () => {
    const own = await startEdge({ key: '' })
    for (const path of ['/api/cancel_push', '/api/cancel_push?api_key=', '/api/cancel_push?x']) {
      expect((await sendRaw({ url: own.url, path, headers: { 'x-api-key': '' }, body: '{}' })).status).toBe(401)
    }
    await own.stop()
  })
})

describe('a path', () => {
  function get(path: string, method = 'GET') {
    return sendRaw({ url: edge.url, method, path })
  }

  test('that is not clean is redirected with its query, and with a link for GET only', async () => {
    const path = '/api//a/../publish/?x=<1>&y="2"'
    const location = '/api/publish/?x=<1>&y="2"'
    const answer = await get(path)
    expect(answer).toMatchObject({ status: 307, headers: { location, 'content-type': 'text/html; charset=utf-8' } })
    expect(answer.body.toString()).toBe(
      '<a href="/api/publish/?x=&lt;1&gt;&amp;y=&#34;2&#34;">Temporary Redirect</a>.\n\n',
    )
    const toHead = await get(path, 'HEAD')
    expect(toHead).toMatchObject({ status: 307, headers: { location, 'content-type': 'text/html; charset=utf-8' } })
    expect(toHead.body).toHaveLength(0)
    const toPut = await get(path, 'PUT')
    expect([toPut.headers['content-type'], toPut.body.length]).toEqual([undefined, 0])
  })

  test.each([
    ['//', '/'],
    ['/api/.', '/api'],
    ['/api/..', '/'],
    ['/../..//nosuch/./', '/nosuch/'],
    ['/connection//websocket', '/connection/websocket'],
    // Go escapes the escaped path once more.
    ['/api//%70ublish%20', '/api/%2570ublish%2520'],
    ['/api//it!s', '/api/it%21s'],
  ])('%s is redirected to %s', async (path, location) => {
    expect(await get(path)).toMatchObject({ status: 307, headers: { location } })
  })

  test.each([
    ['with an escaped letter is the same', '/api/cancel%5Fpush', 405],
    ['with an escaped slash is a different one', '/api%2Fcancel_push', 404],
    ['with escaped dots is not cleaned', '/api/%2e%2e/health', 404],
    ['with an invalid escape is unknown', '/api/%zz', 404],
    ['of a method of Centrifugo PRO only is unknown', '/api/connections', 404],
    ['of health accepts every HTTP method', '/health', 200],
  ])('%s', async (_, path, status) => {
    for (const method of ['GET', 'PUT']) expect((await get(path, method)).status, method).toBe(status)
  })

  test('is read from a whole URL, as proxies send it', async () => {
    expect((await get('http://elsewhere/health')).status).toBe(200)
  })
})

test('HTTP/1.0 without a Host header is answered', async () => {
  const { hostname, port } = new URL(edge.url)
  const socket = connect(Number(port), hostname)
  socket.write('GET /health HTTP/1.0\r\n\r\n')
  const [data] = await once(socket, 'data')
  expect(String(data)).toMatch(/^HTTP\/1\.1 200 /)
  socket.destroy()
})
