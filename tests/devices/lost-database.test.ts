import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { openDatabase, type Sql } from '../../src/database/pool.ts'
import { DeviceStore } from '../../src/devices/device-store.ts'
import { ApiError } from '../../src/protocol/errors.ts'
import { type Devices, openDevices } from './methods.ts'

const QUERY = {
  filter: { ids: [], users: [], topics: [], providers: [], platforms: [] },
  include: { topics: false, meta: false, webPushKeys: false },
  limit: 0,
  cursor: '',
  includeTotalCount: false,
}

let devices: Devices
let sql: Sql
/** A proxy between the store and its database, so that the test can cut the connection. */
const sockets = new Set<Socket>()
const proxy = createServer((client) => {
  const server = connect(Number(new URL(inject('postgresDsn')).port), '127.0.0.1')
  for (const socket of [client, server]) {
    sockets.add(socket)
    // The test cuts connections, so errors are expected.
    socket.on('error', () => undefined)
  }
  client.pipe(server).pipe(client)
  if (isSwallowing) client.unpipe(server)
})
/** Whether sent bytes disappear, as behind a firewall that has dropped its state. */
let isSwallowing = false

/** From now on the bytes of the store are lost. No connection is closed. */
function swallow(): void {
  isSwallowing = true
  for (const socket of sockets) socket.unpipe()
}

beforeAll(async () => {
  devices = await openDevices()
  await listen(0)
})

afterAll(async () => {
  await sql.end({ timeout: 0 })
  await cut()
  await devices.drop()
})

async function listen(port: number): Promise<number> {
  await once(proxy.listen(port, '127.0.0.1'), 'listening')
  const address = proxy.address()
  return typeof address === 'object' && address ? address.port : 0
}

async function cut(): Promise<void> {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  if (!proxy.listening) return
  proxy.close()
  await once(proxy, 'close')
}

test('without the database each call is an internal error, and the first call after its return succeeds', async () => {
  const address = proxy.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const dsn = new URL(devices.dsn)
  dsn.port = String(port)
  sql = openDatabase({ dsn: dsn.href, maxConnections: 2 })
  const store = new DeviceStore({ sql, now: Date.now })
  expect((await store.list(QUERY)).items).toEqual([])
  await cut()
  // With this many failures, a driver that waits longer after each one would exceed the time of this test.
  for (let call = 0; call < 20; call++) {
    const error = await store.list(QUERY).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ApiError)
    expect(error).toMatchObject({ kind: 'internal' })
  }
  await listen(port)
  expect((await store.list(QUERY)).items).toEqual([])
})

test('a database without answers is an internal error too, and it is used again when it answers', async () => {
  const address = proxy.address()
  const dsn = new URL(devices.dsn)
  dsn.port = String(typeof address === 'object' && address ? address.port : 0)
  const silent = openDatabase({ dsn: dsn.href, maxConnections: 2 })
  const store = new DeviceStore({ sql: silent, now: Date.now, answerTimeoutMs: 200 })
  // Longer than the timeout of a new connection.
  await silent`select`
  expect((await store.list(QUERY)).items).toEqual([])
  swallow()
  for (const call of [() => store.list(QUERY), () => store.updateUserTopics('u', { op: 'set', topics: [] })]) {
    const error = await call().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ApiError)
    expect(error).toMatchObject({ kind: 'internal', message: 'database: NO_ANSWER' })
  }
  isSwallowing = false
  // The network is back, without the state of the old connections.
  for (const socket of sockets) socket.destroy()
  expect((await vi.waitFor(() => store.list(QUERY))).items).toEqual([])
  await silent.end({ timeout: 0 })
})
