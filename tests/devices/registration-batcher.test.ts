import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDatabase } from '../../src/database/pool.ts'
import { parseDeviceId } from '../../src/devices/device-id.ts'
import { DeviceStore } from '../../src/devices/device-store.ts'
import type { Registration } from '../../src/devices/registration.ts'
import { ApiError } from '../../src/protocol/errors.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { type Devices, newToken, openDevices } from './methods.ts'

let devices: Devices

beforeEach(async () => {
  devices = await openDevices()
})

afterEach(() => devices.drop())

/** A registration for the store, which can have values that the API refuses. */
function makeRegistration(fields: Partial<Registration> = {}): Registration {
  const about = {
    uuid: undefined,
    provider: 'fcm',
    platform: 'android',
    token: newToken(),
    webPushKeys: undefined,
  } as const
  return { ...about, user: '', topics: [], timezone: '', locale: '', meta: new Map(), ...fields }
}

function register(registrations: readonly Registration[]): Promise<(string | ApiError)[]> {
  const calls = registrations.map((registration) => devices.store.register(registration))
  return Promise.all(calls.map((call) => call.catch((error: unknown) => (error instanceof ApiError ? error : '?'))))
}

test('registrations that arrive together share transactions, and each gets its own device', async () => {
  const registrations = Array.from({ length: 100 }, (_, index) =>
    makeRegistration({ user: `u${index}`, topics: ['all', `t${index % 7}`], meta: new Map([['index', `${index}`]]) }),
  )
  const ids = await register(registrations)
  const { items } = await devices.list({ include_topics: true, include_meta: true, limit: 1000 })
  const byId = new Map(items.map((item) => [item.id, item]))
  for (const [index, id] of ids.entries()) {
    const { token, user } = registrations[index] ?? makeRegistration()
    expect(byId.get(String(id))).toMatchObject({
      token,
      user,
      topics: ['all', `t${index % 7}`],
      meta: { index: `${index}` },
    })
  }
  const [row] = await devices.sql`select count(distinct xmin::text)::int as transactions from devices`
  expect(row?.transactions).toBeLessThan(50)
})

test('a failed call and a refused call do not fail the others of their batch', async () => {
  const taken = parseDeviceId(await devices.register({ provider: 'hms' }))
  // PostgreSQL refuses NUL in texts. The API refuses a request with NUL earlier.
  const broken = makeRegistration({ token: 'a\u0000b' })
  const refused = makeRegistration({ uuid: taken?.uuid })
  const good = Array.from({ length: 10 }, () => makeRegistration())
  const answers = await register([...good.slice(0, 5), broken, refused, ...good.slice(5)])
  expect(answers.map((answer) => (typeof answer === 'string' ? 'stored' : answer.kind))).toEqual([
    ...Array(5).fill('stored'),
    'internal',
    'badRequest',
    ...Array(5).fill('stored'),
  ])
  expect((await devices.list({ filter: { providers: ['fcm'] } })).items).toHaveLength(good.length)
})

test('a call that waits for a lock does not delay other calls', async () => {
  const id = await devices.register({ user: 'old' })
  const uuid = parseDeviceId(id)?.uuid
  const holder = await devices.sql.reserve()
  await holder`begin`
  await holder`select from devices where id = ${uuid ?? null} for update`
  let isDone = false
  const waiting = devices.store.register(makeRegistration({ uuid, user: 'new' })).finally(() => {
    isDone = true
  })
  // More than the batches of all writers together.
  await register(Array.from({ length: 200 }, () => makeRegistration()))
  expect(isDone).toBe(false)
  await holder`rollback`
  holder.release()
  expect(await waiting).toBe(id)
  expect((await devices.find(id))?.user).toBe('new')
})

test('two concurrent calls about one device both run, one after the other', async () => {
  const id = await devices.register({ token: 'first' })
  const uuid = parseDeviceId(id)?.uuid
  const answers = await register([
    makeRegistration({ token: 'first' }),
    makeRegistration({ uuid, token: 'second' }),
    makeRegistration({ token: 'third' }),
    makeRegistration({ token: 'third' }),
  ])
  expect(answers[1]).toBe(id)
  expect(answers[2]).toBe(answers[3])
  expect((await devices.find(id))?.token).toBe('second')
})

test('registrations that waited in a stalled link or behind it are not stored after their errors', async () => {
  const dsn = new URL(devices.dsn)
  const proxy = await startTcpProxy(Number(dsn.port))
  dsn.port = String(proxy.port)
  const sql = openDatabase({ dsn: dsn.href, maxConnections: 4 })
  const store = new DeviceStore({ sql, now: Date.now, answerTimeoutMs: 2000 })
  await store.register(makeRegistration())
  proxy.stall()
  const answers = await Promise.allSettled(Array.from({ length: 100 }, () => store.register(makeRegistration())))
  expect(answers.filter(({ status }) => status === 'fulfilled')).toEqual([])
  proxy.resume()
  await sql.end()
  await proxy.cut()
  expect((await devices.list({})).items).toHaveLength(1)
})
