// Calls beyond the saturation, by a store that stores a limited number of sends a second.
import { setTimeout as delay } from 'node:timers/promises'
import { Pool } from 'undici'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type CentripushProcess, startCentripush } from '../support/centripush-process.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

/** The sends that the store can store in a second. */
const SATURATION = 40
const SECONDS = 4
/** A call takes at most a second. The rest is for a busy machine; without a limit the last calls take 8 s. */
const MAX_ANSWER_MS = 3000
const KEY = 'key-of-the-clients'
const REFUSED = '{"error":{"code":100,"message":"internal server error"}}'

let database: TestDatabase
let server: CentripushProcess
let pool: Pool

beforeEach(async () => {
  database = await createTestDatabase()
  const { sql } = database
  // Rows wait for each other, so that neither connections nor groups of calls change the saturation.
  await sql.unsafe(`create function slow() returns trigger language plpgsql as $$ begin
    perform pg_advisory_xact_lock(1); perform pg_sleep(${1 / SATURATION}); return new; end $$`)
  await sql.unsafe('create trigger slow before insert on push_sends for each row execute function slow()')
  const { dsn } = database
  server = await startCentripush({ http_api: { key: KEY }, database: { postgresql: { dsn } }, log: { level: 'info' } })
  pool = new Pool(server.url, { connections: 512 })
})
afterEach(async () => {
  await pool.destroy()
  await server.stop()
  await database.drop()
})

const sendTo = (token: string) => ({
  recipient: { fcm_tokens: [token] },
  notification: { fcm: { message: { notification: { title: 'x' } } } },
})

async function post(path: string, body: object, headers: Record<string, string> = {}) {
  const startMs = performance.now()
  const { statusCode, headers: answered, body: text } = await pool.request({
    path,
    method: 'POST',
    headers: { 'x-api-key': KEY, ...headers },
    body: JSON.stringify(body),
  })
  return { status: statusCode, retryAfter: answered['retry-after'], text: await text.text(), ms: performance.now() - startMs }
}

/** Calls at three times the saturation; no call waits for the answer to another one. */
async function overload<T>(call: (number: number) => Promise<T>): Promise<T[]> {
  const calls: Promise<T>[] = []
  const startMs = performance.now()
  for (let number = 0; number < 3 * SATURATION * SECONDS; number++) {
    const waitMs = startMs + (number * 1000) / (3 * SATURATION) - performance.now()
    if (waitMs > 0) await delay(waitMs)
    calls.push(call(number))
  }
  return await Promise.all(calls)
}

async function countSent(): Promise<number> {
  const lines = (await (await fetch(`${server.url}/metrics`)).text()).split('\n')
  const counts = lines.filter((line) => line.startsWith('centrifugo_push_notification_count{'))
  return counts.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

test('three times the saturation: refused with error 100 and Retry-After, the others sent, health alive', async () => {
  const health: number[] = []
  const watching = (async () => {
    for (let look = 0; look < SECONDS; look++) {
      health.push((await fetch(`${server.url}/health`)).status)
      await delay(1000)
    }
  })()
  const answers = await overload((number) => post('/api/send_push_notification', sendTo(`token-${number}`)))
  await watching
  expect(health).toEqual(health.map(() => 200))
  const accepted = answers.filter(({ text }) => text.startsWith('{"result":{"uid"'))
  const refused = answers.filter(({ text }) => text === REFUSED)
  expect(accepted.length + refused.length).toBe(answers.length)
  expect(accepted.length).toBeGreaterThan((SATURATION * SECONDS) / 2)
  expect(refused.length).toBeGreaterThan(0)
  expect(new Set(refused.map(({ status, retryAfter }) => `${status} ${retryAfter}`))).toEqual(new Set(['200 1']))
  expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(MAX_ANSWER_MS)
  await expect.poll(countSent, { timeout: 20_000 }).toBe(accepted.length)
})

test('in a batch, the reply to a refused command is error 100', async () => {
  const replies = await overload(async (number) => {
    const { text } = await post('/api/batch', { commands: [{ send_push_notification: sendTo(`token-${number}`) }] })
    return text.replace(/"uid":"[^"]*"/, '"uid":""')
  })
  const accepted = '{"replies":[{"send_push_notification":{"uid":""}}]}'
  expect(new Set(replies)).toEqual(new Set([accepted, `{"replies":[${REFUSED}]}`]))
})

test('the transport error mode answers 500', async () => {
  const mode = { 'x-centrifugo-error-mode': 'transport' }
  const answers = await overload((number) => post('/api/send_push_notification', sendTo(`${number}`), mode))
  const refused = answers.filter(({ status }) => status !== 200)
  expect(new Set(refused.map(({ status, retryAfter }) => `${status} ${retryAfter}`))).toEqual(new Set(['500 1']))
})
