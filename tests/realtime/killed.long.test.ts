// kill -9 of API and workers while messages are published and acknowledged. Callers repeat the calls that fail.
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CentripushProcess, startCentripush } from '../support/centripush-process.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { answerWith, startNode, type TestNode } from '../support/edge.ts'
import { startFcmSimulator, type TestFcmSimulator } from '../support/fcm-simulator.ts'
import { PROXY_KEY } from './realtime-rig.ts'

const MESSAGES = 300
/** Longer than a restart takes, so that most acks of repeated calls arrive in time. */
const DELAY_MS = 20_000
const API_KEY = 'key-of-the-servers'
const RETRY_MS = 100

let database: TestDatabase
let fcm: TestFcmSimulator
let node: TestNode
let server: CentripushProcess

beforeAll(async () => {
  ;[database, fcm, node] = await Promise.all([
    createTestDatabase(),
    startFcmSimulator(),
    startNode((_, outgoing) => answerWith(outgoing, '{"replies":[{"publish":{}}]}')),
  ])
  await database.sql`
    insert into devices (id, created_at, updated_at, registered_at, provider, platform, token, user_id)
    select gen_random_uuid(), now(), now(), now(), 1, 2, 'phone-' || n, 'user-' || n
    from generate_series(0, ${MESSAGES - 1}) as n`
  server = await start()
})
afterAll(async () => {
  await server.stop()
  await Promise.all([fcm.stop(), node.stop()])
  await database.drop()
})

function start(): Promise<CentripushProcess> {
  const { origin, files } = fcm.simulator
  return startCentripush({
    http_api: { key: API_KEY },
    rpc_proxy: { key: PROXY_KEY },
    upstream: { address: node.address },
    database: { postgresql: { dsn: database.dsn } },
    worker: { processes: 2, lease: '2s', heartbeat: '500ms' },
    push_notifications: {
      fcm: { credentials_file: files.credentials, ca_file: files.ca, push_endpoint: origin, auth_endpoint: origin },
    },
  })
}

/** Calls the server that is running until it gives the expected answer. */
async function call(path: string, body: object, expected: RegExp): Promise<void> {
  const headers = { 'x-api-key': API_KEY, 'x-centripush-proxy-key': PROXY_KEY }
  for (;;) {
    const answer = await fetch(`${server.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) }).then(
      (response) => response.text(),
      () => 'no answer',
    )
    if (expected.test(answer)) return
    await delay(RETRY_MS)
  }
}

test('no push is lost that nobody acknowledged, and none comes that was acknowledged in time', async () => {
  const published: number[] = []
  /** Acks that were answered before the first call could have made the push due. */
  const ackedInTime: number[] = []
  const oneMessage = async (number: number) => {
    const dueAtMs = Date.now() + DELAY_MS
    const user = `user-${number}`
    const uid = `message-${number}`
    const push = { uid, recipient: { filter: { users: [user] } }, notification: { fcm: { message: {} } } }
    const request = { publish: { channel: 'c', data: {} }, push, delay_ms: DELAY_MS }
    await call('/api/publish_or_push', request, /^\{"result":\{"uid":"[^"]+"\}\}$/)
    published.push(number)
    if (number % 2 === 1) return
    await call('/proxy/rpc', { user, method: 'push:ack', data: { uids: [uid] } }, /^\{"result":\{"data":\{\}\}\}$/)
    if (Date.now() < dueAtMs) ackedInTime.push(number)
  }
  const running: Promise<void>[] = []
  for (let number = 0; number < MESSAGES; number++) {
    running.push(oneMessage(number))
    await delay(5)
    if (number === MESSAGES / 2) {
      await server.kill()
      server = await start()
    }
  }
  await Promise.all(running)
  expect(published).toHaveLength(MESSAGES)
  expect(ackedInTime).not.toEqual([])

  const pushed = () => fcm.simulator.accepted.map(({ target }) => target)
  // The second kill hits the workers while they send.
  await expect.poll(() => pushed().length, { timeout: 60_000 }).toBeGreaterThan(0)
  await server.kill()
  server = await start()
  const unacknowledged = Array.from({ length: MESSAGES / 2 }, (_, at) => `phone-${at * 2 + 1}`)
  const findMissing = () => {
    const found = new Set(pushed())
    return unacknowledged.filter((phone) => !found.has(phone))
  }
  await expect.poll(findMissing, { timeout: 60_000 }).toEqual([])
  await expect.poll(() => database.sql`select from push_batches`, { timeout: 60_000 }).toEqual([])
  const wrong = new Set(ackedInTime.map((number) => `phone-${number}`))
  expect(pushed().filter((phone) => wrong.has(phone))).toEqual([])
  console.log(
    `${pushed().length} pushes to ${unacknowledged.length} targets after two kills, ` +
      `${ackedInTime.length} of ${MESSAGES / 2} acks in time`,
  )
})
