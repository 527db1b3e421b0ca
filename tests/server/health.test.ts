// The servers run in their own processes, because a lost connection must not end the process.
import { expect, inject, test, vi } from 'vitest'
import type { Role } from '../../src/config/role.ts'
import { startCentripush } from '../support/centripush-process.ts'
import { createTestDatabase } from '../support/database.ts'
import { KillableRedis } from '../support/killable-redis.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

/** A server is unready within 10 s and ready again within 5 s. The machine of a test may be slower. */
const SLOWNESS = 2

interface Case {
  role: Role
  processes: number
  queue: 'PostgreSQL' | 'Redis'
  loss: 'refused connections' | 'no answers'
}

const CASES: Case[] = [
  { role: 'all', processes: 1, queue: 'PostgreSQL', loss: 'refused connections' },
  { role: 'api', processes: 1, queue: 'PostgreSQL', loss: 'no answers' },
  { role: 'worker', processes: 1, queue: 'Redis', loss: 'no answers' },
  { role: 'all', processes: 2, queue: 'Redis', loss: 'refused connections' },
]

// They run concurrently, because each waits for the time limits of its connections.
test.concurrent.for(CASES)(
  'role $role ($processes): unready with $loss of $queue, and ready again',
  async (one, { onTestFinished }) => {
    const database = await createTestDatabase()
    const redis = one.queue === 'Redis' ? await KillableRedis.start() : undefined
    const proxy = await startTcpProxy(redis?.port ?? Number(new URL(inject('postgresDsn')).port))
    const dsn = new URL(database.dsn)
    if (!redis) dsn.port = String(proxy.port)
    const server = await startCentripush(
      {
        http_api: { key: 'key' },
        database: { postgresql: { dsn: dsn.href } },
        worker: { processes: one.processes },
        ...(redis && { push_notifications: { queue: { redis: { address: `127.0.0.1:${proxy.port}` } } } }),
      },
      { role: one.role },
    )
    onTestFinished(async () => {
      await proxy.mend()
      expect(await server.stop()).toBe(0)
      await proxy.cut()
      await redis?.stop()
      await database.drop()
    })
    const waitForStatus = (status: number, timeout: number) =>
      vi.waitFor(async () => expect((await fetch(`${server.url}/health`)).status).toBe(status), {
        timeout,
        interval: 50,
      })
    if (one.loss === 'no answers') proxy.stall()
    else await proxy.cut()
    await waitForStatus(503, 10_000 * SLOWNESS)
    await proxy.mend()
    await waitForStatus(200, 5000 * SLOWNESS)
  },
)
