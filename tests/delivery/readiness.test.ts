import { expect, inject, onTestFinished, test, vi } from 'vitest'
import { startAssembly } from '../support/assembly.ts'
import { createTestDatabase } from '../support/database.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

test.each(['cut', 'swallow'] as const)(
  'a worker that can’t reach its queue (%s) is unready, and ready again when it can',
  async (failure) => {
    const database = await createTestDatabase()
    const proxy = await startTcpProxy(Number(new URL(inject('postgresDsn')).port))
    const dsn = new URL(database.dsn)
    dsn.port = String(proxy.port)
    const server = await startAssembly(dsn.href)
    onTestFinished(async () => {
      await proxy.mend()
      await server.stop(0)
      await proxy.cut()
      await database.drop()
    })
    const readHealth = async () => (await fetch(`${server.url}/health`)).status
    expect(await readHealth()).toBe(200)
    await proxy[failure]()
    await vi.waitFor(async () => expect(await readHealth()).toBe(503), { timeout: 30_000, interval: 50 })
    await proxy.mend()
    await vi.waitFor(async () => expect(await readHealth()).toBe(200), { timeout: 30_000, interval: 50 })
  },
)
