import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Devices, openDevices, uuidOf } from '../devices/methods.ts'
import { runCommand } from './command.ts'

let devices: Devices

beforeEach(async () => {
  devices = await openDevices()
})

afterEach(() => devices.drop())

const restore = (...options: string[]) => runCommand(devices.dsn, ['devices', 'restore', ...options])

/** Removes a device like an answer of its provider. */
async function lose(id: string): Promise<void> {
  const { token = '', provider } = (await devices.find(id)) ?? {}
  if (provider !== 'fcm' && provider !== 'hms') throw new Error('the device is not there')
  const gone = [{ deviceId: uuidOf(id), token }]
  expect(await devices.store.removeGone(provider, gone, Date.now() + 60_000, 'UNREGISTERED')).toBe(1)
}

test('a restored device is as before, with the current topics of its user', async () => {
  await devices.updateUser({ user: 'u', op: 'add', topics: ['of-u'] })
  const id = await devices.register({ user: 'u', topics: ['own'], meta: { k: 'v' }, timezone: 'UTC', locale: 'de' })
  const before = await devices.find(id)
  await lose(id)
  await devices.updateUser({ user: 'u', op: 'add', topics: ['new'] })
  expect(await restore('--provider', 'fcm', '--since', '1h', '--dry-run')).toMatchObject({
    code: 0,
    stdout: '1 fcm devices would be restored, 0 skipped because they are registered again\n',
  })
  expect(await devices.find(id)).toBeUndefined()
  expect(await restore('--provider', 'fcm', '--since', '1h')).toMatchObject({
    code: 0,
    stdout: '1 fcm devices restored, 0 skipped because they are registered again\n',
  })
  expect(await devices.find(id)).toEqual({ ...before, topics: ['new', 'of-u', 'own'] })
  expect((await restore('--provider', 'fcm', '--since', '1h')).stdout).toMatch(/^0 fcm devices restored, 0 skipped/)
})

test('a device is skipped and unchanged when its token or id is registered again', async () => {
  const [byToken, byId, gone] = [
    await devices.register({ token: 'a' }),
    await devices.register({ token: 'b', topics: ['old'] }),
    await devices.register({ token: 'c' }),
  ]
  for (const id of [byToken, byId, gone]) await lose(id)
  const heir = await devices.register({ token: 'a' })
  await devices.register({ id: byId, token: 'd', topics: ['new'] })
  const counts = '1 fcm devices XX, 2 skipped because they are registered again\n'
  const dryRun = await restore('--provider', 'fcm', '--since', '1h', '--dry-run')
  expect(dryRun.stdout).toBe(counts.replace('XX', 'would be restored'))
  expect((await restore('--provider', 'fcm', '--since', '1h')).stdout).toBe(counts.replace('XX', 'restored'))
  expect(await devices.find(byToken)).toBeUndefined()
  expect(await devices.find(heir)).toMatchObject({ token: 'a' })
  expect(await devices.find(byId)).toMatchObject({ token: 'd', topics: ['new'] })
  expect(await devices.find(gone)).toMatchObject({ token: 'c' })
})

test('of several removals of one device the last one is restored', async () => {
  const id = await devices.register({ token: 'a', topics: ['first'] })
  await lose(id)
  await devices.register({ id, token: 'b', topics: ['second'] })
  await lose(id)
  expect((await restore('--provider', 'fcm', '--since', '1h')).stdout).toMatch(/^1 fcm devices restored, 1 skipped/)
  expect(await devices.find(id)).toMatchObject({ token: 'b', topics: ['second'] })
})

test('only devices of the given provider, time and reason are restored', async () => {
  const [early, late] = [await devices.register({ token: 'a' }), await devices.register({ token: 'b' })]
  const other = await devices.register({ token: 'c', provider: 'hms' })
  await lose(early)
  await devices.sql`update removed_devices set removed_at = now() - interval '3 h'`
  await lose(late)
  await lose(other)
  const reason = ['--reason', 'inactive']
  expect((await restore('--provider', 'fcm', '--since', '2h', ...reason)).stdout).toMatch(/^0 fcm devices restored, 0/)
  const since = new Date(Date.now() - 7_200_000).toISOString()
  expect((await restore('--provider', 'fcm', '--since', since)).stdout).toMatch(/^1 fcm devices restored/)
  expect((await devices.list({})).items.map(({ token }) => token)).toEqual(['b'])
})

test('a mass removal is restored completely', async () => {
  await devices.sql`
    insert into devices (id, created_at, updated_at, registered_at, provider, platform, token)
    select gen_random_uuid(), now(), now() - interval '1 year', now(), 1, 2, 't' || n
    from generate_series(1, 2500) as n`
  expect(await devices.store.removeInactive(1000, new AbortController().signal)).toBe(2500)
  const args = ['--provider', 'fcm', '--since', '1h', '--reason', 'inactive']
  expect((await restore(...args)).stdout).toMatch(/^2500 fcm devices restored, 0 skipped/)
  expect(await devices.list({ include_total_count: true, limit: 1 })).toMatchObject({ total_count: 2500 })
})
