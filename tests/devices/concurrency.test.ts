// Many concurrent calls from several pools, which stand for several servers.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDatabase, type Sql } from '../../src/database/pool.ts'
import { DeviceStore } from '../../src/devices/device-store.ts'
import { type Devices, errorKind, methodsOf, newToken, openDevices } from './methods.ts'

const OPERATIONS = 5000
const AT_ONCE = 32

let devices: Devices

beforeEach(async () => {
  devices = await openDevices()
})

afterEach(() => devices.drop())

/** Runs `work` the given number of times with a limit of concurrent runs. */
async function runAtOnce(count: number, work: () => Promise<void>): Promise<void> {
  let started = 0
  const lane = async () => {
    while (started < count) {
      started++
      await work()
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
}

/** A seeded generator, so that a run can repeat the calls. Their timing can differ. */
function makePick(seed: number) {
  let state = seed
  return <T>(values: readonly T[]): T | undefined => {
    state = (state * 48_271) % 2_147_483_647
    return values[state % values.length]
  }
}

/** The number of rows that break a rule of the tables: orphans and duplicates. */
async function findDamage() {
  const [orphans, twice, nameless] = await Promise.all([
    devices.sql`select from device_topics t where not exists (select from devices d where d.id = t.device_id)`,
    devices.sql`select from devices group by provider, token having count(*) > 1`,
    devices.sql`select from device_topics t where not exists (select from topics where topics.id = t.topic_id)`,
  ])
  return { orphans: orphans.length, twice: twice.length, nameless: nameless.length }
}

/** The number of deadlocks, retried ones included. The server counts those of a connection when it closes. */
async function countDeadlocks(pools: readonly Sql[]): Promise<number> {
  await Promise.all(pools.map((sql) => sql.end()))
  const sql = openDatabase({ dsn: devices.dsn, maxConnections: 1 })
  const [row] = await sql`select deadlocks::int as count from pg_stat_database where datname = current_database()`
  await sql.end()
  return row?.count
}

test('10,000 random operations, 32 at a time, leave no orphan, no double token and no unexpected error', async () => {
  const pick = makePick(1)
  const tokens = Array.from({ length: 8 }, newToken)
  const ids: string[] = []
  for (const _ of tokens) ids.push(await devices.register())
  const users = ['', 'u', 'v']
  const topics = () => [pick(['a', 'b', 'c', 'd']), pick(['e', 'f'])]
  const operations = [
    () => devices.register({ token: pick(tokens), user: pick(users), topics: topics() }),
    () => devices.register({ id: pick(ids), token: pick(tokens), user: pick(users), topics: topics() }),
    () => devices.register({ id: pick(ids), provider: pick(['fcm', 'hms']), token: pick(tokens) }),
    () => devices.update({ users: ['u', 'v'], topics_update: { op: 'set', topics: topics() } }),
    () => devices.update({ ids, user_update: { user: pick(users) } }),
    () => devices.remove({ ids: [pick(ids), pick(ids)] }),
    () => devices.remove({ users: [pick(users)] }),
    () => devices.updateUser({ user: pick(users), op: pick(['add', 'remove', 'set']), topics: topics() }),
    () => devices.updateTopics({ device_id: pick(ids), op: pick(['add', 'set']), topics: topics() }),
    () => devices.store.removeGone('fcm', tokens.map(asGone), Date.now()),
    () => devices.list({ filter: { users: [pick(users)], topics: topics() }, include_topics: true }),
  ]
  const kinds = new Set<string>()
  await runAtOnce(OPERATIONS, async () => {
    kinds.add(await errorKind(pick(operations)?.() ?? Promise.resolve()))
  })
  expect([...kinds].filter((kind) => !['none', 'notFound', 'badRequest', 'conflict'].includes(kind))).toEqual([])
  expect(await findDamage()).toEqual({ orphans: 0, twice: 0, nameless: 0 })
})

function asGone(token: string) {
  return { deviceId: '', token }
}

test('registrations of a few tokens under many ids through two servers do not deadlock', async () => {
  const other = openDatabase({ dsn: devices.dsn, maxConnections: 20 })
  const servers = [devices, methodsOf(new DeviceStore({ sql: other, now: Date.now }))]
  const pick = makePick(2)
  const tokens = Array.from({ length: 3 }, newToken)
  const ids: string[] = []
  for (const _ of tokens) ids.push(await devices.register())
  const kinds = new Set<string>()
  await runAtOnce(1000, async () => {
    const request = { id: pick([undefined, ...ids]), token: pick(tokens), topics: ['t'] }
    kinds.add(await errorKind(pick(servers)?.register(request) ?? Promise.resolve()))
  })
  expect([...kinds]).toEqual(['none'])
  expect(await findDamage()).toEqual({ orphans: 0, twice: 0, nameless: 0 })
  const { items } = await devices.list({})
  expect(items.filter(({ token }) => tokens.includes(token)).length).toBeLessThanOrEqual(tokens.length)
  expect(await countDeadlocks([devices.sql, other])).toBe(0)
})
