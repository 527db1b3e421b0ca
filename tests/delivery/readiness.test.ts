// The server runs in its own process, because a lost connection must not end the process.
import { expect, inject, test, vi } from 'vitest'
import { startCentripush } from '../support/centripush-process.ts'
import { createTestDatabase } from '../support/database.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

// The cases run concurrently, because each waits for the time limits of its connections.
test.concurrent.for([
  { what: 'whose connections are refused', lose: (proxy: TcpProxy) => proxy.cut() },
  { what: 'that never answers', lose: async (proxy: TcpProxy) => proxy.stall() },
])('a worker with a queue $what is unready, and ready when the queue answers', async ({ lose }, { onTestFinished }) => {
  const database = await createTestDatabase()
  const proxy = await startTcpProxy(Number(new URL(inject('postgresDsn')).port))
  const dsn = new URL(database.dsn)
  dsn.port = String(proxy.port)
  const server = await startCentripush({ http_api: { key: 'key' }, database: { postgresql: { dsn: dsn.href } } })
  onTestFinished(async () => {
    await proxy.mend()
    expect(await server.stop()).toBe(0)
    await proxy.cut()
    await database.drop()
  })
  const readHealth = async () => (await fetch(`${server.url}/health`)).status
  await lose(proxy)
  await vi.waitFor(async () => expect(await readHealth()).toBe(503), { timeout: 30_000, interval: 50 })
  await proxy.mend()
  await vi.waitFor(async () => expect(await readHealth()).toBe(200), { timeout: 30_000, interval: 50 })
})
