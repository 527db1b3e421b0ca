// A store refuses work: the log has one line with the cause and the mend, and not one line for each request.
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { startCentripush } from '../support/centripush-process.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { KillableRedis } from '../support/killable-redis.ts'
import { keepLines } from '../support/run-log.ts'

const SEND = { recipient: { fcm_tokens: ['a'] }, notification: { fcm: { message: { notification: { title: 'x' } } } } }

let database: TestDatabase
let lines: { level: number; msg: string; store?: string; cause?: string; mend?: string }[]
let server: TestAssembly | undefined
let redis: KillableRedis | undefined

beforeEach(async () => {
  database = await createTestDatabase()
  lines = []
})
afterEach(async () => {
  await server?.stop(0)
  await redis?.stop()
  await database.drop()
  server = undefined
  redis = undefined
})

const logger = () =>
  pino(
    { level: 'info' },
    keepLines((line) => lines.push(JSON.parse(line))),
  )
/** The lines above info, without the warnings of the start about the settings of the store. */
const problems = () =>
  lines
    .filter(({ level, msg }) => level > 30 && !msg.startsWith('queue: accepted'))
    .map(({ msg, store, cause }) => `${msg} ${store} ${cause}`)

async function startWithRedis(): Promise<{ server: TestAssembly; redis: KillableRedis }> {
  redis = await KillableRedis.start()
  const queue = { redis: { address: `127.0.0.1:${redis.port}` } }
  server = await startAssembly(database.dsn, { push_notifications: { queue } }, logger())
  return { server, redis }
}

/** Ten sends, which are answered with error 100. @returns the headers Retry-After of the answers */
async function sendInVain({ post }: TestAssembly): Promise<Set<string | null>> {
  const after = new Set<string | null>()
  for (let count = 0; count < 10; count++) {
    const answer = await post('/send_push_notification', SEND)
    expect(await answer.json()).toEqual({ error: { code: 100, message: 'internal server error' } })
    after.add(answer.headers.get('retry-after'))
  }
  return after
}

/** PostgreSQL fails with this code at each insert or update of a row, as it does when its disk is full. */
async function fillDisk(table: string): Promise<void> {
  const { sql } = database
  await sql.unsafe(`create function refuse() returns trigger language plpgsql as
    $$ begin raise exception 'could not extend file' using errcode = '53100'; end $$`)
  await sql.unsafe(`create trigger refuse before insert or update on ${table} execute function refuse()`)
}

test('Redis at maxmemory', async () => {
  const started = await startWithRedis()
  // Less than is used: Redis frees the buffers of clients meanwhile.
  await started.redis.limitMemory(-100_000)
  expect(await sendInVain(started.server)).toEqual(new Set(['5']))
  expect(problems()).toEqual(['store: outage began redis Redis is at maxmemory and refuses new sends'])
  expect((await fetch(`${started.server.url}/health`)).status).toBe(200)
})

test('Redis that can not write its file', async () => {
  const started = await startWithRedis()
  await started.redis.refuseWrites()
  await sendInVain(started.server)
  expect(problems()).toEqual(['store: outage began redis Redis can not write its file and refuses all writes'])
  await vi.waitFor(async () => expect((await fetch(`${started.server.url}/health`)).status).toBe(503), 10_000)
})

test('PostgreSQL with a full disk', async () => {
  server = await startAssembly(database.dsn, {}, logger())
  await fillDisk('push_sends')
  await sendInVain(server)
  expect(problems()).toEqual(['store: outage began postgresql the disk of PostgreSQL is full'])
  expect(lines.find(({ store }) => store)?.mend).toBe('free space on the disk of PostgreSQL, or enlarge the disk')
})

test('a full queue', async () => {
  const queue = { postgresql: { max_stream_length: 1 } }
  server = await startAssembly(database.dsn, { push_notifications: { queue } }, logger())
  await database.sql`
    insert into push_batches (uid, lane, provider, target_kind, target_count, targets, claimable_at)
    values ('delayed', 0, 'fcm', 'token', 1, ${'\ta\t\t'}, 'infinity')`
  expect(await sendInVain(server)).toEqual(new Set(['5']))
  expect(problems()).toEqual(['store: outage began postgresql the queue is full: max_stream_length jobs are waiting'])
})

test('worker processes report to their server, which logs the outage once', async () => {
  await fillDisk('push_sends')
  const process = await startCentripush({
    http_api: { key: 'key' },
    log: { level: 'warn' },
    database: { postgresql: { dsn: database.dsn } },
    worker: { processes: 2 },
  })
  try {
    await vi.waitFor(() => expect(process.output.stdout).toContain('the disk of PostgreSQL is full'), 20_000)
    expect(process.output.stdout.match(/"level":"error"/g)).toHaveLength(1)
  } finally {
    await process.stop()
  }
})
