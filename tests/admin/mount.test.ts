// Where the web UI is, and when.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startAssembly } from '../support/assembly.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { makeClient, PASSWORD, SECRET } from './admin-rig.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})

afterAll(() => database.drop())

const statusOf = async (url: string) => (await fetch(url, { redirect: 'manual' })).status

test('it is off by default when an API key is configured', async () => {
  const server = await startAssembly(database.dsn)
  expect(server.adminLink).toBeUndefined()
  expect(await statusOf(`${server.url}/admin`)).toBe(404)
  expect(await statusOf(`${server.url}/admin/login`)).toBe(404)
  await server.stop(0)
})

test('a start without a configured key has a link that logs in once, and only when no other site opens it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'centripush-admin-'))
  const server = await startAssembly(database.dsn, { http_api: { key: undefined }, data_dir: directory })
  const link = server.adminLink?.replace(`${server.url}/admin`, '') ?? ''
  const client = makeClient(`${server.url}/admin`)
  expect((await client.get('/queue')).status).toBe(303)
  expect(await (await client.get('/login')).text()).toContain('Open the link that its start has printed')
  expect((await client.get(link, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
  expect((await client.get(link, { 'sec-fetch-site': 'none' })).headers.get('location')).toBe('/admin')
  expect((await client.get('/queue')).status).toBe(200)
  expect((await makeClient(`${server.url}/admin`).get(link)).status).toBe(403)
  await server.stop(0)
  await rm(directory, { recursive: true })
})

test.each(['0.0.0.0', '127.0.0.1'])('without a configured key, an address of %s decides', async (address) => {
  const directory = await mkdtemp(join(tmpdir(), 'centripush-admin-'))
  const options = { http_api: { key: undefined }, data_dir: directory, http_server: { address } }
  const server = await startAssembly(database.dsn, options)
  expect(server.adminLink !== undefined).toBe(address === '127.0.0.1')
  await server.stop(0)
  await rm(directory, { recursive: true })
})

test('it is beside the web UI of the node', async () => {
  const node = createServer((incoming, outgoing) => outgoing.end(`node ${incoming.url}`)).listen(0, '127.0.0.1')
  await once(node, 'listening')
  const { port } = node.address() as AddressInfo
  const server = await startAssembly(database.dsn, {
    admin: { enabled: true, password: PASSWORD, secret: SECRET, handler_prefix: '/push/' },
    upstream: { address: `http://127.0.0.1:${port}`, admin_handler_prefix: '/' },
  })
  expect(await (await fetch(`${server.url}/admin/init`)).text()).toBe('node /admin/init')
  expect(await (await fetch(`${server.url}/push/admin/init`)).json()).toMatchObject({ authenticated: false })
  const client = makeClient(`${server.url}/push/admin`)
  expect((await client.login()).headers.get('location')).toBe('/push/admin')
  expect(await (await client.get('/queue')).text()).toContain('href="/push/admin/devices"')
  await server.stop(0)
  node.close()
})

test.each([
  [false, [404, 303]],
  [true, [303, 404]],
])('with an internal port and external %s', async (external, expected) => {
  const server = await startAssembly(database.dsn, {
    admin: { enabled: true, password: PASSWORD, secret: SECRET, external },
    http_server: { internal_port: 0, internal_address: '127.0.0.1' },
  })
  const found = await Promise.all(
    server.urls.map(async (url) => (await makeClient(`${url}/admin`).get('/queue')).status),
  )
  expect(found).toEqual(expected)
  await server.stop(0)
})

test('insecure needs no login', async () => {
  const server = await startAssembly(database.dsn, { admin: { enabled: true, insecure: true } })
  const client = makeClient(`${server.url}/admin`)
  expect((await client.get('/queue')).status).toBe(200)
  expect(await (await client.get('/init')).json()).toMatchObject({ insecure: true, authenticated: true })
  expect(
    (await client.post('/queue/pause', { provider: 'fcm', reason: 'x' }, { 'sec-fetch-site': 'cross-site' })).status,
  ).toBe(403)
  const call = async (headers: Record<string, string>) => {
    const init = { method: 'POST', headers, body: '{"method":"device_list","params":{}}' }
    return (await fetch(`${server.url}/admin/api`, init)).status
  }
  // Scripts send none of these headers. A page of another site in the browser of an administrator does.
  expect(await call({})).toBe(200)
  expect(await call({ 'sec-fetch-site': 'same-origin' })).toBe(200)
  expect(await call({ 'sec-fetch-site': 'cross-site' })).toBe(401)
  expect(await call({ origin: 'https://evil.example' })).toBe(401)
  await server.stop(0)
})

test('without push notifications it has the configuration and the action log', async () => {
  const server = await startAssembly(database.dsn, {
    admin: { enabled: true, password: PASSWORD, secret: SECRET },
    push_notifications: { enabled: false },
  })
  const client = makeClient(`${server.url}/admin`)
  await client.login()
  expect(await (await client.get('/devices')).text()).toContain('Push notifications are disabled')
  expect((await client.get('/configuration')).status).toBe(200)
  await server.stop(0)
})

test('a session goes on at another server with the same secret, and ends with another password', async () => {
  const start = (password: string) =>
    startAssembly(database.dsn, { admin: { enabled: true, password, secret: SECRET } })
  const [first, second, changed] = await Promise.all([start(PASSWORD), start(PASSWORD), start('a new password')])
  const client = makeClient(`${first.url}/admin`)
  await client.login()
  const visit = async (url: string) => {
    const other = makeClient(`${url}/admin`)
    for (const [name, value] of client.cookies) other.cookies.set(name, value)
    return (await other.get('/queue')).status
  }
  expect([await visit(second.url), await visit(changed.url)]).toEqual([200, 303])
  await Promise.all([first.stop(0), second.stop(0), changed.stop(0)])
})
