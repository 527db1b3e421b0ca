// Calls beyond the saturation, by a store that stores a limited number of sends a second.
import { setTimeout as delay } from 'node:timers/promises'
import { Pool } from 'undici'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type CentripushProcess, startCentripush } from '../support/centripush-process.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

/** The sends that the store can store in a second. */
const SATURATION = 20
const SECONDS = 6
const CALLS = 3 * SATURATION * SECONDS
const KEY = 'key-of-the-clients'
const ERROR = '{"code":100,"message":"internal server error"}'

let database: TestDatabase
let server: CentripushProcess
let pool: Pool

beforeEach(async () => {
  database = await createTestDatabase()
  const { sql, dsn } = database
  // Rows wait for each other, so that neither connections nor groups of calls change the saturation.
  await sql.unsafe(`create function slow() returns trigger language plpgsql as $$ begin
    perform pg_advisory_xact_lock(1); perform pg_sleep(${1 / SATURATION}); return new; end $$`)
  await sql.unsafe('create trigger slow before insert on push_sends for each row execute function slow()')
  server = await startCentripush({ http_api: { key: KEY }, database: { postgresql: { dsn } }, log: { level: 'info' } })
  pool = new Pool(server.url, { connections: 256 })
})
afterEach(async () => {
  await pool.destroy()
  await server.stop()
  await database.drop()
})

async function post(path: string, body: object, headers: Record<string, string> = {}) {
  const answer = await pool.request({
    path,
    method: 'POST',
    headers: { 'x-api-key': KEY, ...headers },
    body: JSON.stringify(body),
  })
  return `${answer.statusCode} ${answer.headers['retry-after'] ?? '-'} ${await answer.body.text()}`
}

/** Sends to a token: by the method, in the transport error mode, or in a batch. */
function send(number: number): Promise<string> {
  const notification = { fcm: { message: { notification: { title: 'x' } } } }
  const request = { recipient: { fcm_tokens: [`token-${number}`] }, notification }
  if (number % 3 === 0) return post('/api/send_push_notification', request)
  if (number % 3 === 2) return post('/api/batch', { commands: [{ send_push_notification: request }] })
  return post('/api/send_push_notification', request, { 'x-centrifugo-error-mode': 'transport' })
}

/** Calls at three times the saturation; no call waits for the answer to another one. */
async function overload(): Promise<string[]> {
  const calls: Promise<string>[] = []
  const startMs = performance.now()
  for (let number = 0; number < CALLS; number++) {
    const waitMs = startMs + (number * SECONDS * 1000) / CALLS - performance.now()
    if (waitMs > 0) await delay(waitMs)
    calls.push(send(number))
  }
  return await Promise.all(calls)
}

async function readMetric(pattern: RegExp): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text()
  return [...text.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0)
}

test('calls beyond the saturation are refused with error 100 and Retry-After, the others are sent, health is alive', async () => {
  const health: number[] = []
  const stop = new AbortController()
  const watching = (async () => {
    while (!stop.signal.aborted) {
      health.push((await fetch(`${server.url}/health`)).status)
      await delay(500)
    }
  })()
  const answers = await overload()
  stop.abort()
  await watching
  expect(new Set(health)).toEqual(new Set([200]))
  const kinds = new Set(answers.map((answer) => answer.replace(/"uid":"[^"]*"/, 'uid')))
  expect(kinds).toEqual(
    new Set([
      '200 - {"result":{uid}}',
      `200 1 {"error":${ERROR}}`,
      `500 1 ${ERROR}`,
      '200 - {"replies":[{"send_push_notification":{uid}}]}',
      `200 - {"replies":[{"error":${ERROR}}]}`,
    ]),
  )
  const accepted = answers.filter((answer) => answer.includes('"uid"')).length
  expect(accepted).toBeGreaterThan((SATURATION * SECONDS) / 2)
  expect(CALLS - accepted).toBeGreaterThan(CALLS / 4)
  expect(await readMetric(/^centripush_api_refused_count\{.*\} (\d+)/gm)).toBe(CALLS - accepted)
  const countSent = () => readMetric(/^centrifugo_push_notification_count\{.*\} (\d+)/gm)
  await expect.poll(countSent, { timeout: 30_000 }).toBe(accepted)
})
