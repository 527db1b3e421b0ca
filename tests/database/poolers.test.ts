// centripush behind pgbouncer: right with session pooling, refused at the start with every other kind. The pgbouncer is
// the first one on the PATH, so that `PATH=/path/to/another:$PATH npx vitest run tests/database/poolers.test.ts` tests
// another version.
import { pino } from 'pino'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { startCentripush } from '../support/centripush-process.ts'
import { createTestDatabase } from '../support/database.ts'
import { startFcmSimulator } from '../support/fcm-simulator.ts'
import { startPgbouncer } from '../support/pgbouncer.ts'
import { keepLines } from '../support/run-log.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

const DEVICES = 300
const IGNORED =
  'statement_timeout,idle_in_transaction_session_timeout,plan_cache_mode,' +
  'max_parallel_workers_per_gather,enable_seqscan,jit'

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

/** Repeats a call that a slow machine refuses because of its load. */
async function post(server: TestAssembly, method: string, request: object): Promise<void> {
  const call = async () => expect(await (await server.post(`/${method}`, request)).json()).toHaveProperty('result')
  await vi.waitFor(call, { timeout: 30_000, interval: 1000 })
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

test('a start waits for the PostgreSQL behind a pooler', async () => {
  const database = await createTestDatabase()
  onTestFinished(() => database.drop())
  const proxy = await startTcpProxy(Number(new URL(database.dsn).port))
  await proxy.cut()
  const hidden = new URL(database.dsn)
  hidden.port = String(proxy.port)
  const settings = { pool_mode: 'session', ignore_startup_parameters: IGNORED, server_login_retry: '1' }
  const pooler = await startPgbouncer(hidden.href, settings)
  const lines: string[] = []
  const logger = pino(
    { level: 'warn' },
    keepLines((line) => lines.push(line)),
  )
  const starting = startAssembly(`${pooler.dsn}?connect_timeout=1`, {}, logger)
  await vi.waitFor(() => expect(lines.join('')).toContain('accepts connections and does not answer'), 20_000)
  await proxy.mend()
  const server = await starting
  onTestFinished(async () => {
    await server.stop(1000)
    await pooler.stop()
    await proxy.cut()
  })
  expect((await fetch(`${server.url}/health`)).status).toBe(200)
})

test.each([
  // The default of pgbouncer, and that of max_connections.
  ['20', /the server gives 20 of 22 connections.*the server is a pooler: enlarge its pool \(pgbouncer: default_pool/],
  ['2', /the server gives no more connections.*the server is a pooler: enlarge its pool/],
])('a pool of %s connections, too few for the server, is refused at the start', async (default_pool_size, problem) => {
  const database = await createTestDatabase()
  onTestFinished(() => database.drop())
  const settings = { pool_mode: 'session', ignore_startup_parameters: IGNORED, default_pool_size }
  const pooler = await startPgbouncer(database.dsn, settings)
  onTestFinished(() => pooler.stop())
  // A process, which handles the rejections of the driver for the connections that it did not get.
  await expect(startCentripush({ database: { postgresql: { dsn: pooler.dsn } } })).rejects.toThrow(problem)
})

test('a pool that has just the connections of the server is enough', async () => {
  const settings = { pool_mode: 'session', ignore_startup_parameters: IGNORED, default_pool_size: '8' }
  const database = await createTestDatabase()
  onTestFinished(() => database.drop())
  const pooler = await startPgbouncer(database.dsn, settings)
  const server = await startAssembly(pooler.dsn, { database: { postgresql: { dsn: pooler.dsn, max_connections: 6 } } })
  onTestFinished(async () => {
    await server.stop(1000)
    await pooler.stop()
  })
  for (let round = 0; round < 3; round++) {
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        post(server, 'device_register', { provider: 'fcm', platform: 'android', token: `${round}-${index}` }),
      ),
    )
  }
  expect((await fetch(`${server.url}/health`)).status).toBe(200)
})

test.each([
  ['transaction', 'connections do not keep their sessions'],
  ['statement', 'the server is a pooler'],
])('%s pooling is refused at the start with the settings that work', async (mode, problem) => {
  const advice = await readAdvice({ pool_mode: mode, ignore_startup_parameters: IGNORED })
  expect(advice).toContain(problem)
  expect(advice).toContain(`pool_mode = session and ignore_startup_parameters = `)
})
