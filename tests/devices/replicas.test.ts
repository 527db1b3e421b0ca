// The replica has other data than its primary, like a delayed one, so a result shows which of them has answered.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseConfig } from '../../src/config/load.ts'
import { openDatabase, type Sql } from '../../src/database/pool.ts'
import { Replicas } from '../../src/database/replicas.ts'
import { DeviceStore } from '../../src/devices/device-store.ts'
import { startAssembly } from '../support/assembly.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { type Devices, methodsOf, openDevices } from './methods.ts'

let primary: Devices
let replicas: Devices[]

beforeEach(async () => {
  primary = await openDevices()
  replicas = [await openDevices(), await openDevices()]
  await primary.register({ user: 'primary', topics: ['primary'] })
  await primary.updateUser({ user: 'u', op: 'add', topics: ['primary'] })
  for (const [index, replica] of replicas.entries()) {
    await replica.register({ user: `replica ${index}`, topics: [`replica ${index}`] })
    await replica.updateUser({ user: 'u', op: 'add', topics: [`replica ${index}`] })
  }
})

afterEach(async () => {
  for (const database of [primary, ...replicas]) await database.drop()
})

const logger = makeTestLogger()

/** The methods of a server that reads from `readers`. */
function openReading(readers: Sql[], now: () => number = Date.now) {
  const reading = new Replicas({ primary: primary.sql, replicas: readers, answerTimeoutMs: 5000, logger, now })
  const store = new DeviceStore({ sql: primary.sql, now: Date.now, replicas: reading })
  return { store, ...methodsOf(store) }
}

test('lists and their counts are read from the replicas in turn', async () => {
  const methods = openReading(replicas.map(({ sql }) => sql))
  const users = []
  for (let call = 0; call < 4; call++) users.push((await methods.list({})).items[0]?.user)
  expect(users).toEqual(['replica 0', 'replica 1', 'replica 0', 'replica 1'])
  expect((await methods.listTopics({})).items).toMatchObject([{ topic: 'replica 0' }])
  expect((await methods.listUsers({})).items).toMatchObject([{ topic: 'replica 1' }])
  await replicas[0]?.register({})
  expect(await methods.list({ include_total_count: true })).toMatchObject({ total_count: 2 })
})

test('changes and walks of sends use the primary', async () => {
  const methods = openReading(replicas.map(({ sql }) => sql))
  const id = await methods.register({ user: 'new' })
  expect(await primary.find(id)).toMatchObject({ user: 'new' })
  await methods.updateTopics({ device_id: id, op: 'add', topics: ['t'] })
  await methods.updateUser({ user: 'new', op: 'add', topics: ['of-the-user'] })
  expect(await primary.find(id)).toMatchObject({ topics: ['of-the-user', 't'] })
  const filter = { ids: [], users: ['new'], topics: [], providers: [], platforms: [] }
  expect((await methods.store.pageTargets(filter, { after: undefined, limit: 10 })).groups).toMatchObject([
    { count: 1 },
  ])
  await methods.remove({ ids: [id] })
  expect(await primary.find(id)).toBeUndefined()
})

test('an unavailable replica is skipped for a while, and without any replica the primary answers', async () => {
  let nowMs = 0
  const away = openDatabase({ dsn: 'postgresql://nobody@127.0.0.1:1/nothing', maxConnections: 1 })
  const [replica] = replicas
  const oneOfTwo = openReading([away, ...(replica ? [replica.sql] : [])], () => nowMs)
  const users = []
  for (let call = 0; call < 4; call++) users.push((await oneOfTwo.list({})).items[0]?.user)
  expect(users).toEqual(['primary', 'replica 0', 'replica 0', 'replica 0'])
  nowMs = 60_000
  for (let call = 0; call < 2; call++) users.push((await oneOfTwo.list({})).items[0]?.user)
  expect(users.slice(4).sort()).toEqual(['primary', 'replica 0'])
  expect((await openReading([away]).list({})).items[0]?.user).toBe('primary')
  await away.end({ timeout: 0 })
})

test('an invalid request does not make a replica unavailable', async () => {
  const methods = openReading(replicas.map(({ sql }) => sql))
  await expect(methods.list({ cursor: 'x' })).rejects.toMatchObject({ kind: 'badRequest' })
  expect((await methods.list({})).items[0]?.user).toBe('replica 1')
})

test('the server reads from replica_dsn only with read_from_replica', async () => {
  const listUsers = async (read_from_replica: boolean) => {
    const database = { postgresql: { dsn: primary.dsn, replica_dsn: replicas.map(({ dsn }) => dsn) } }
    const server = await startAssembly(primary.dsn, { database, push_notifications: { read_from_replica } })
    const reply: unknown = await (await server.post('/device_list', {})).json()
    await server.stop(0)
    return reply
  }
  expect(await listUsers(true)).toMatchObject({ result: { items: [{ user: 'replica 0' }] } })
  expect(await listUsers(false)).toMatchObject({ result: { items: [{ user: 'primary' }] } })
})

test('a server with read_from_replica and without a replica does not start', () => {
  expect(() => parseConfig({ push_notifications: { read_from_replica: true } })).toThrow(
    'database.postgresql.replica_dsn: is needed because push_notifications.read_from_replica is true',
  )
})
