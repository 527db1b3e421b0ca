// Real processes, and the simulator's log as the truth: whatever is stopped or killed while a broadcast is on its way,
// nothing of it is lost.
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { FcmSimulator } from '../../src/simulators/fcm/fcm-simulator.ts'
import { type CentripushProcess, startCentripush } from '../support/centripush-process.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startFcmSimulator } from '../support/fcm-simulator.ts'

const KEY = 'key'
const DEVICES = 20_000
/** A worker never holds more targets unsettled than this: what a kill can cost in duplicates. */
const MAX_DUPLICATES_PER_KILL = 5000

let database: TestDatabase
let fcm: Awaited<ReturnType<typeof startFcmSimulator>>
let api: CentripushProcess
let acceptedBefore = 0

function start(role: 'api' | 'worker'): Promise<CentripushProcess> {
  const { origin, files } = fcm.simulator
  return startCentripush(
    {
      http_api: { key: KEY },
      database: { postgresql: { dsn: database.dsn } },
      push_notifications: {
        fcm: { credentials_file: files.credentials, ca_file: files.ca, push_endpoint: origin, auth_endpoint: origin },
      },
      worker: { lease: '1500ms', heartbeat: '500ms' },
    },
    { role },
  )
}

beforeAll(async () => {
  database = await createTestDatabase()
  fcm = await startFcmSimulator()
  api = await start('api')
  await registerDevices()
})
afterAll(async () => {
  await api.stop()
  await fcm.stop()
  await database.drop()
})
beforeEach(() => {
  acceptedBefore = fcm.simulator.accepted.length
})

/** By SQL: a test of delivery need not wait for twenty thousand registrations. */
async function registerDevices(): Promise<void> {
  const { sql } = database
  await sql`insert into topics (name) values ('all')`
  await sql`
    insert into devices (id, created_at, updated_at, registered_at, provider, platform, token)
    select gen_random_uuid(), now(), now(), now(), 1, 2, 'token-' || i from generate_series(1, ${DEVICES}) as i`
  await sql`insert into device_topics (topic_id, device_id) select t.id, d.id from topics t, devices d`
}

async function sendToAll(uid: string): Promise<void> {
  const body = {
    uid,
    recipient: { filter: { topics: ['all'] } },
    notification: { fcm: { message: { data: { uid } } } },
  }
  const answer = await fetch(`${api.url}/api/send_push_notification`, {
    method: 'POST',
    headers: { 'x-api-key': KEY },
    body: JSON.stringify(body),
  })
  expect(await answer.json()).toEqual({ result: { uid } })
}

const accepted = (simulator: FcmSimulator) => simulator.accepted.slice(acceptedBefore).map(({ target }) => target)

/** The queue forgets what a send holds when it has ended. */
async function waitForEnd(uid: string): Promise<void> {
  await vi.waitFor(
    async () => {
      const [send] = await database.sql`select content is null as ended from push_sends where uid = ${uid}`
      expect(send).toEqual({ ended: true })
    },
    { timeout: 50_000, interval: 100 },
  )
}

test('kill -9 of a worker, twice in one broadcast, loses nothing and repeats no more than was in flight', async () => {
  await sendToAll('killed')
  for (const share of [0.2, 0.5]) {
    const doomed = await start('worker')
    await fcm.simulator.waitForAccepted(acceptedBefore + DEVICES * share)
    await doomed.kill()
  }
  const heir = await start('worker')
  await waitForEnd('killed')
  await heir.stop()
  const targets = accepted(fcm.simulator)
  expect(new Set(targets).size).toBe(DEVICES)
  expect(targets.length - DEVICES).toBeLessThanOrEqual(2 * MAX_DUPLICATES_PER_KILL)
}, 120_000)

test('SIGTERM in the middle of a broadcast, again and again, loses nothing and repeats nothing', async () => {
  await sendToAll('restarted')
  for (const share of [0.2, 0.4, 0.6]) {
    const worker = await start('worker')
    await fcm.simulator.waitForAccepted(acceptedBefore + DEVICES * share)
    expect(await worker.stop()).toBe(0)
  }
  const last = await start('worker')
  await waitForEnd('restarted')
  expect(await last.stop()).toBe(0)
  const targets = accepted(fcm.simulator)
  expect(new Set(targets).size).toBe(DEVICES)
  expect(targets).toHaveLength(DEVICES)
}, 120_000)

test('two workers at once share a broadcast and repeat nothing of it', async () => {
  const workers = [await start('worker'), await start('worker')]
  await sendToAll('shared')
  await waitForEnd('shared')
  await Promise.all(workers.map((worker) => worker.stop()))
  const targets = accepted(fcm.simulator)
  expect(new Set(targets).size).toBe(DEVICES)
  expect(targets).toHaveLength(DEVICES)
}, 120_000)
