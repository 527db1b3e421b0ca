// centripush behind pgbouncer: right with session pooling, refused at the start with every other kind.
import { expect, onTestFinished, test, vi } from 'vitest'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { createTestDatabase } from '../support/database.ts'
import { startFcmSimulator } from '../support/fcm-simulator.ts'
import { startPgbouncer } from '../support/pgbouncer.ts'

const DEVICES = 300

async function startPooled(settings: Record<string, string>, options: Parameters<typeof startAssembly>[1] = {}) {
  const database = await createTestDatabase()
  onTestFinished(() => database.drop())
  const pooler = await startPgbouncer(database.dsn, settings)
  onTestFinished(() => pooler.stop())
  const server = await startAssembly(pooler.dsn, options)
  onTestFinished(() => server.stop(1000))
  return server
}

/** The line for pgbouncer.ini in the message of a refused start. */
async function readAdvice(settings: Record<string, string>): Promise<string> {
  const error: unknown = await startPooled(settings).catch((thrown: unknown) => thrown)
  return error instanceof Error ? error.message : ''
}

async function post(server: TestAssembly, method: string, request: object): Promise<void> {
  expect(await (await server.post(`/${method}`, request)).json(), method).toHaveProperty('result')
}

/** The number of different targets for each uid; one that got a push twice is counted as a problem. */
function countByUid(accepted: readonly { target: string; body: string }[]): Record<string, number> {
  const counts: Record<string, number> = {}
  const seen = new Set<string>()
  for (const { target, body } of accepted) {
    const uid = /"uid":"(\w+)"/.exec(body)?.[1]
    const name = seen.has(`${uid} ${target}`) ? 'twice' : `${uid}`
    seen.add(`${uid} ${target}`)
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

test('session pooling with the settings of the message: registrations, a broadcast, scheduled and cancelled sends', async () => {
  const advice = await readAdvice({ pool_mode: 'session' })
  expect(advice).toMatch(/unsupported startup parameter.*the server is a pooler.*\(database\.postgresql\.dsn\)$/)
  const ignored = /ignore_startup_parameters = ([\w,]+)/.exec(advice)?.[1] ?? ''
  const fcm = await startFcmSimulator()
  onTestFinished(() => fcm.stop())
  const { origin, files } = fcm.simulator
  const server = await startPooled(
    { pool_mode: 'session', ignore_startup_parameters: ignored },
    {
      push_notifications: {
        fcm: { credentials_file: files.credentials, push_endpoint: origin, auth_endpoint: origin, ca_file: files.ca },
      },
    },
  )
  const devices = Array.from({ length: DEVICES }, (_, index) => ({
    provider: 'fcm',
    platform: 'android',
    token: `device-${index}`,
    user: `u${index}`,
    topics: ['news'],
  }))
  // A burst of all of them would be refused by the overload limit on a slow machine.
  for (let from = 0; from < DEVICES; from += 50) {
    await Promise.all(devices.slice(from, from + 50).map((device) => post(server, 'device_register', device)))
  }
  const send = (uid: string, rest: object) =>
    post(server, 'send_push_notification', {
      uid,
      recipient: { filter: { topics: ['news'] } },
      notification: { fcm: { message: { data: { uid } } } },
      ...rest,
    })
  const soon = Math.floor(Date.now() / 1000) + 2
  await send('scheduled', { send_at: soon })
  await send('cancelled', { send_at: soon })
  await post(server, 'cancel_push', { uid: 'cancelled' })
  await send('broadcast', {})
  await vi.waitFor(
    () => expect(countByUid(fcm.simulator.accepted)).toEqual({ broadcast: DEVICES, scheduled: DEVICES }),
    {
      timeout: 30_000,
      interval: 100,
    },
  )
})

test.each([
  ['transaction', 'connections do not keep their sessions'],
  ['statement', 'the server is a pooler'],
])('%s pooling is refused at the start with the settings that work', async (mode, problem) => {
  const ignored =
    'statement_timeout,idle_in_transaction_session_timeout,plan_cache_mode,' +
    'max_parallel_workers_per_gather,enable_seqscan,jit'
  const advice = await readAdvice({ pool_mode: mode, ignore_startup_parameters: ignored })
  expect(advice).toContain(problem)
  expect(advice).toContain(`pool_mode = session and ignore_startup_parameters = `)
})
