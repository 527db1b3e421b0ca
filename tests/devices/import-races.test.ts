// An import beside registrations, removals and changes of users: it must leave no duplicate, no orphan and no gap.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Transaction } from '../../src/database/pool.ts'
import { makeDeviceUuid } from '../../src/devices/device-id.ts'
import { lockRegistrations } from '../../src/devices/registration/registration-lock.ts'
import { lockUser } from '../../src/devices/user-lock.ts'
import { countLockWaits } from '../support/lock-waits.ts'
import { type Devices, errorKind, openDevices } from './methods.ts'

let devices: Devices

beforeEach(async () => {
  devices = await openDevices()
})

afterEach(() => devices.drop())

const COUNT = 300

/** The devices of ten users. */
const records = Array.from({ length: COUNT }, (_, index) => ({
  uuid: undefined,
  provider: 'fcm' as const,
  platform: 'ios' as const,
  token: `token-${index}`,
  webPushKeys: undefined,
  user: `user-${index % 10}`,
  topics: [`topic-${index % 7}`],
  timezone: '',
  locale: '',
  meta: new Map<string, string>(),
  createdAtSeconds: undefined,
  updatedAtSeconds: undefined,
}))

test('concurrent registrations, removals and changes of users leave no duplicate, no orphan and no gap', async () => {
  const changes: Promise<unknown>[] = [
    devices.store.importDevices(records),
    devices.store.importDevices([...records].reverse()),
    devices.store.importUserTopics(records.map(({ user }) => ({ user, topic: 'imported' }))),
  ]
  for (let index = 0; index < COUNT; index += 3) {
    const { token, user } = records[index] ?? { token: '', user: '' }
    changes.push(errorKind(devices.register({ token, user, platform: 'ios' })))
    if (index % 5 === 0) changes.push(devices.updateUser({ user, op: 'add', topics: ['updated'] }))
    if (index % 31 === 0) changes.push(devices.remove({ users: [user] }))
  }
  const results = (await Promise.all(changes)).flat()
  expect(results).not.toContainEqual(expect.objectContaining({ kind: 'refused' }))
  expect(results).not.toContain('conflict')
  // Some removals may have run last. This import stores their devices again.
  await devices.store.importDevices(records)
  const { items } = await devices.list({ include_topics: true, limit: 1000 })
  expect(items.map(({ token }) => token).sort()).toEqual(records.map(({ token }) => token).sort())
  const updated = new Set((await devices.listUsers({ filter: { topics: ['updated'] } })).items.map(({ user }) => user))
  for (const { user = '', topics } of items) {
    expect(topics).toContain('imported')
    if (updated.has(user)) expect(topics).toContain('updated')
  }
  const orphans = await devices.sql`
    select from device_topics t where not exists (select from devices d where d.id = t.device_id)`
  expect(orphans).toHaveLength(0)
})

/** Imports two devices while `work` runs in a transaction that blocks the import. */
async function importMeanwhile(work: (tx: Transaction) => Promise<void>): Promise<void> {
  await startMeanwhile(work, () => devices.store.importDevices(records.slice(0, 2)))
}

/** Starts `late` while the transaction of `work` blocks it. Resolves to its result. */
async function startMeanwhile<T>(work: (tx: Transaction) => Promise<void>, late: () => Promise<T>): Promise<T> {
  const started = await devices.sql.begin(async (tx) => {
    await work(tx)
    const result = late()
    await vi.waitFor(async () => expect(await countLockWaits(devices.sql)).toBe(1))
    // In an object, because the transaction would await a returned promise.
    return { result }
  })
  return await started.result
}

test('an import waits for a change of the topics of its user, and then stores them', async () => {
  await devices.updateUser({ user: 'other', op: 'add', topics: ['new'] })
  await importMeanwhile(async (tx) => {
    await lockUser(tx, 'user-1')
    await tx`insert into user_topics (topic_id, user_id) select id, 'user-1' from topics where name = 'new'`
  })
  expect((await devices.list({ filter: { topics: ['new'] } })).items).toMatchObject([{ user: 'user-1' }])
})

test('an import waits for a registration of one of its tokens, and then updates that device', async () => {
  const id = await devices.register({})
  await importMeanwhile(async (tx) => {
    await lockRegistrations(tx, records.slice(0, 1))
    await tx`update devices set token = 'token-0'`
  })
  expect(await devices.find(id)).toMatchObject({ token: 'token-0', user: 'user-0' })
  expect((await devices.list({})).items).toHaveLength(2)
})

test('concurrent imports and registrations of the same tokens all succeed and leave one device per token', async () => {
  const register = ({ token, user, topics }: (typeof records)[number]) =>
    devices.register({ token, user: `new-${user}`, topics: [...topics, 'registered'], platform: 'ios' })
  const half = records.slice(0, COUNT / 2)
  const [ids, ...imports] = await Promise.all([
    Promise.all(records.map(register)),
    devices.store.importDevices(records),
    devices.store.importDevices([...half].reverse()),
    devices.store.importDevices(half.map((record) => ({ ...record, uuid: makeDeviceUuid(0) }))),
  ])
  expect(imports.flat().map(({ kind }) => kind)).toEqual(Array(2 * COUNT).fill('stored'))
  const { items } = await devices.list({ include_topics: true, limit: 1000 })
  expect(items.map(({ token }) => token).sort()).toEqual(records.map(({ token }) => token).sort())
  const registered = new Map(records.map(({ token }, index) => [token, ids[index]]))
  for (const { id, token, user = '', topics } of items) {
    // The last writer stores all fields of the device.
    expect(topics?.includes('registered')).toBe(user.startsWith('new-'))
    // The second half is imported without ids, so the first writer has created the device.
    if (!half.some((record) => record.token === token)) expect(registered.get(token)).toBe(id)
  }
})

test('a record that the database refuses does not fail the others, and the last record of a device wins', async () => {
  await devices.sql`alter table devices add constraint refused check (user_id <> 'refused')`
  const batch = records.slice(0, 20).map((record, index) => ({
    ...record,
    token: `token-${index % 5}`,
    user: index === 7 ? 'refused' : `user-${index}`,
  }))
  const outcomes = await devices.store.importDevices(batch)
  expect(outcomes.map(({ kind }) => kind)).toEqual(batch.map((_, index) => (index === 7 ? 'refused' : 'stored')))
  expect(outcomes[7]).toEqual({ kind: 'refused', reason: 'database: 23514' })
  const { items } = await devices.list({})
  expect(items.map(({ user }) => user).sort()).toEqual(['user-15', 'user-16', 'user-17', 'user-18', 'user-19'])
})

test('a batch with too many locks for the server is split', async () => {
  await devices.sql.unsafe(`
    create function refuse_many() returns trigger language plpgsql as $$ begin
      if (select count(*) from added) > 10 then raise sqlstate '53200'; end if;
      return null;
    end $$;
    create trigger refuse_many after insert on devices referencing new table as added
      for each statement execute function refuse_many()`)
  expect(await devices.store.importDevices(records)).toEqual(Array(COUNT).fill({ kind: 'stored' }))
  expect((await devices.list({ limit: 1000 })).items).toHaveLength(COUNT)
})

test('a restore waits for a registration of one of its tokens, and then keeps that device', async () => {
  await devices.store.importDevices(records.slice(0, 3))
  const gone = records.slice(0, 3).map(({ token }) => ({ deviceId: '', token }))
  expect(await devices.store.removeGone('fcm', gone, Date.now() + 60_000)).toBe(3)
  const id = await devices.register({})
  const query = { provider: 'fcm', since: new Date(0), reason: undefined } as const
  const result = await startMeanwhile(
    async (tx) => {
      await lockRegistrations(tx, records.slice(0, 1))
      await tx`update devices set token = 'token-0'`
    },
    () => devices.store.restore(query),
  )
  expect(result).toEqual({ restored: 2, skipped: 1 })
  expect(await devices.find(id)).toMatchObject({ token: 'token-0' })
  expect((await devices.list({})).items).toHaveLength(3)
})
