// A worker that hears no announcements looks for work often.
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test, vi } from 'vitest'
import { makeKeys } from '../../src/queue/redis/keys.ts'
import { WakeUp } from '../../src/queue/redis/wake-up.ts'
import { KillableRedis } from '../support/killable-redis.ts'
import { makeTestLogger } from '../support/run-log.ts'

test('announcements are not heard until SUBSCRIBE has worked, which is tried again after a reconnection', async () => {
  const server = await KillableRedis.start()
  const admin = new Redis({ port: server.port, host: '127.0.0.1' })
  await admin.call('ACL', 'SETUSER', 'deaf', 'on', '>secret', '~*', '&*', '+@all', '-subscribe')
  const subscriber = new Redis({ port: server.port, host: '127.0.0.1', username: 'deaf', password: 'secret' })
  const logger = makeTestLogger()
  const warn = vi.spyOn(logger, 'warn')
  const keys = makeKeys(randomUUID())
  const wakeUp = new WakeUp({ subscriber, keys, logger })
  onTestFinished(async () => {
    wakeUp.close()
    admin.disconnect()
    await server.stop()
  })
  const first = wakeUp.wait('small', 60_000, new AbortController().signal)
  await vi.waitFor(() => expect(warn).toHaveBeenCalled())
  expect(wakeUp.isHearing).toBe(false)
  await admin.call('ACL', 'SETUSER', 'deaf', '+subscribe')
  await admin.call('CLIENT', 'KILL', 'USER', 'deaf')
  await vi.waitFor(() => expect(wakeUp.isHearing).toBe(true))
  expect(await first).toBe(true)
  const heard = wakeUp.wait('small', 60_000, new AbortController().signal)
  await admin.publish(keys.work('small'), '')
  expect(await heard).toBe(true)
  const never = new AbortController().signal
  const sends = wakeUp.wait('small', 60_000, never, 'sends')
  const batches = wakeUp.wait('small', 60_000, never, 'batches')
  await admin.publish(keys.work('small'), 'batches')
  expect(await batches).toBe(true)
  expect(await Promise.race([sends, Promise.resolve('still waiting')])).toBe('still waiting')
})
