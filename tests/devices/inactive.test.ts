import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startAssembly } from '../support/assembly.ts'
import { type Devices, openDevices } from './methods.ts'

const DAY_MS = 86_400_000
const never = new AbortController().signal

let devices: Devices

beforeEach(async () => {
  devices = await openDevices()
})

afterEach(() => devices.drop())

/** Moves the last registration or update of a device to this number of days ago. */
async function age(id: string, days: number): Promise<void> {
  const { token = '' } = (await devices.find(id)) ?? {}
  await devices.sql`update devices set updated_at = now() - ${days} * interval '1 day' where token = ${token}`
}

test('inactive devices are removed with their topics, and kept in removed_devices', async () => {
  const old = await devices.register({ user: 'u', topics: ['a', 'b'] })
  const young = await devices.register({ user: 'u', topics: ['a'] })
  await age(old, 31)
  await age(young, 29)
  expect(await devices.store.removeInactive(30 * DAY_MS, never)).toBe(1)
  expect(await devices.find(old)).toBeUndefined()
  expect(await devices.find(young)).toMatchObject({ topics: ['a'] })
  expect((await devices.listTopics({})).items).toHaveLength(1)
  expect(await devices.sql`select reason, device ->> 'user_id' as "user" from removed_devices`).toMatchObject([
    { reason: 'inactive', user: 'u' },
  ])
})

test('a registration and an update both make a device active', async () => {
  const registered = await devices.register({ token: 'a' })
  const updated = await devices.register({})
  for (const id of [registered, updated]) await age(id, 31)
  await devices.register({ token: 'a' })
  await devices.update({ ids: [updated], timezone_update: { timezone: 'UTC' } })
  expect(await devices.store.removeInactive(30 * DAY_MS, never)).toBe(0)
})

/** More devices than one page of the walk. Every third one is inactive. */
async function fill(): Promise<void> {
  await devices.sql`
    insert into devices (id, created_at, updated_at, registered_at, provider, platform, token)
    select
      gen_random_uuid(), now(), case when n % 3 = 0 then now() - interval '1 year' else now() end, now(), 1, 2, 't' || n
    from generate_series(1, 25000) as n`
}

const countDevices = async () => (await devices.list({ include_total_count: true, limit: 1 })).total_count

test('all inactive devices are found, at any place in the table', async () => {
  await fill()
  expect(await devices.store.removeInactive(30 * DAY_MS, never)).toBe(8333)
  expect(await countDevices()).toBe(25_000 - 8333)
})

test('it stops between two batches when its signal aborts', async () => {
  await fill()
  expect(await devices.store.removeInactive(30 * DAY_MS, AbortSignal.abort())).toBe(0)
  expect(await countDevices()).toBe(25_000)
})

test('a device that is being changed stays, and the removal does not wait for it', async () => {
  const [changed, old] = [await devices.register({}), await devices.register({})]
  await age(changed, 31)
  await age(old, 31)
  const { token = '' } = (await devices.find(changed)) ?? {}
  await devices.sql.begin(async (tx) => {
    await tx`select from devices where token = ${token} for update`
    expect(await devices.store.removeInactive(30 * DAY_MS, never)).toBe(1)
  })
  expect(await devices.find(changed)).toBeDefined()
})

test.each([
  ['720h', 1],
  ['0s', 2],
])('the server removes them at its start with max_inactive_device_interval %s', async (interval, left) => {
  await age(await devices.register({}), 31)
  await devices.register({})
  // The last cleanup of a start.
  await devices.sql`insert into notifications (uid, status, time) values ('u', 'sent', now() - interval '8 days')`
  const server = await startAssembly(devices.dsn, { push_notifications: { max_inactive_device_interval: interval } })
  await vi.waitFor(async () => expect(await devices.sql`select from notifications`).toHaveLength(0), {
    timeout: 30_000,
  })
  expect(await countDevices()).toBe(left)
  await server.stop(0)
})
