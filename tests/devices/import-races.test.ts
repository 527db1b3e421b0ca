// An import while the server works: what it must never leave behind.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Transaction } from '../../src/database/pool.ts'
import { lockRegistrations } from '../../src/devices/registration-lock.ts'
import { lockUser } from '../../src/devices/user-lock.ts'
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

test('registrations, removals and changes of users meanwhile leave no duplicate, no orphan and no gap', async () => {
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
  // Removals may have come last; this brings all of them back.
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

/** Imports two devices while `work` is done in a transaction, which the import has to wait for. */
async function importMeanwhile(work: (tx: Transaction) => Promise<void>): Promise<void> {
  let imported: Promise<unknown> = Promise.resolve()
  await devices.sql.begin(async (tx) => {
    await work(tx)
    imported = devices.store.importDevices(records.slice(0, 2))
    await vi.waitFor(async () => {
      const waiting = await devices.sql`select from pg_locks where locktype = 'advisory' and not granted`
      expect(waiting).toHaveLength(1)
    })
  })
  await imported
}

test('an import waits for a change of one of its users, and then has it', async () => {
  await devices.updateUser({ user: 'other', op: 'add', topics: ['new'] })
  await importMeanwhile(async (tx) => {
    await lockUser(tx, 'user-1')
    await tx`insert into user_topics (topic_id, user_id) select id, 'user-1' from topics where name = 'new'`
  })
  expect((await devices.list({ filter: { topics: ['new'] } })).items).toMatchObject([{ user: 'user-1' }])
})

test('an import waits for a registration of one of its tokens, and then is about that device', async () => {
  const id = await devices.register({})
  await importMeanwhile(async (tx) => {
    await lockRegistrations(tx, records.slice(0, 1))
    await tx`update devices set token = 'token-0'`
  })
  expect(await devices.find(id)).toMatchObject({ token: 'token-0', user: 'user-0' })
  expect((await devices.list({})).items).toHaveLength(2)
})
