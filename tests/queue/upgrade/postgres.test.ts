// The queue of the previous version (schema 0007) is delivered after the migration. README.md describes the fixture.
import { copyFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { migrate } from '../../../src/database/migrate.ts'
import type { Sql } from '../../../src/database/pool.ts'
import { PostgresQueue } from '../../../src/queue/postgres/postgres-queue.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { makeTestLogger } from '../../support/run-log.ts'
import { isFcm, type StoredAudience, storeAudience, withoutFinished } from './audience.ts'
import { type Pushes, startDelivery } from './start-delivery.ts'

/** The last migration of the previous version. */
const PREVIOUS_SCHEMA = '0007'
/** Added to the age of the fixture: the leases of its claims were ten minutes. */
const AGE = '11 minutes'
/** The columns with times, by table. */
const TIMES: Record<string, readonly string[]> = {
  push_sends: ['claimable_at', 'expire_at', 'forget_at'],
  push_drops: [],
  push_walks: ['claimable_at'],
  push_pages: ['claimable_at'],
  push_batches: ['claimable_at', 'first_attempt_at'],
  push_dead_letters: ['given_up_at'],
}
/** Devices of a page in the previous version. */
const PAGE = 5000
/** The device of the user that is excluded from `pages-of-dead-workers`. */
const EXCLUDED = 'hms-12000'
/** States of a send. */
const WAITING = 0
const DONE = 3

const Fixture = v.object({ storedAt: v.string(), tables: v.record(v.string(), v.array(v.record(v.string(), v.any()))) })

const logger = makeTestLogger()
let database: TestDatabase
let audience: StoredAudience
let queue: PostgresQueue
let pushes: Pushes
let stop: () => Promise<void>

beforeAll(async () => {
  database = await createTestDatabase('empty')
  await migrateToPrevious(database.sql)
  audience = await storeAudience(database.sql)
  await restoreQueue(database.sql)
  await migrate(database.sql, logger)
  queue = new PostgresQueue({ sql: database.queueSql, logger, leaseMs: 1000, maxJobs: 100_000 })
  ;({ pushes, stop } = startDelivery(queue, database.sql))
})
afterAll(async () => {
  await stop()
  await queue.close()
  await database.drop()
})

async function migrateToPrevious(sql: Sql): Promise<void> {
  const source = new URL('../../../schema/postgres/', import.meta.url)
  const directory = await mkdtemp(join(tmpdir(), 'centripush-schema-'))
  try {
    for (const name of await readdir(source)) {
      if (name.slice(0, 4) <= PREVIOUS_SCHEMA) await copyFile(new URL(name, source), join(directory, name))
    }
    await migrate(sql, logger, directory)
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** Stores the rows of the fixture as if their leases had just ended. */
async function restoreQueue(sql: Sql): Promise<void> {
  const text = await readFile(new URL('postgres-0007.json', import.meta.url), 'utf8')
  const { storedAt, tables } = v.parse(Fixture, JSON.parse(text))
  for (const [table, rows] of Object.entries(tables)) {
    await sql`
      insert into ${sql(table)} overriding system value
      select * from jsonb_populate_recordset(null::${sql(table)}, ${sql.json(rows)})`
    for (const column of TIMES[table] ?? []) {
      await sql`
        update ${sql(table)} set ${sql(column)} = ${sql(column)}
          + (clock_timestamp() - ${storedAt}::timestamptz - ${AGE}::interval)`
    }
  }
  for (const table of ['push_batches', 'push_pages', 'push_dead_letters']) {
    await sql`select setval(pg_get_serial_sequence(${table}, 'id'), (select max(id) from ${sql(table)}))`
  }
}

/** Waits until a send has ended. @returns its pushes, sorted */
async function waitForPushes(uid: string): Promise<string[]> {
  await vi.waitFor(
    async () => {
      const [row] = await database.sql`select state, open_batches from push_sends where uid = ${uid}`
      expect(row).toEqual({ state: DONE, open_batches: 0 })
    },
    { timeout: 60_000, interval: 50 },
  )
  return (pushes.get(uid) ?? []).toSorted()
}

const BROADCASTS: Record<string, (stored: StoredAudience) => string[]> = {
  'walk-waiting': ({ all }) => all,
  'walk-scheduled': ({ all }) => all,
  'walk-in-the-middle': ({ all }) => all.slice(PAGE),
  'pages-of-dead-workers': ({ all }) => all.slice(PAGE).filter((token) => token !== EXCLUDED),
  'one-provider': ({ all }) => all.filter(isFcm),
  lines: ({ few }) => withoutFinished(few),
  'walk-of-lines': ({ few }) => few,
  'scheduled-due': ({ few }) => few,
}

test.each(Object.entries(BROADCASTS))('the broadcast %s is sent to each remaining device once', async (uid, find) => {
  expect(await waitForPushes(uid)).toEqual(find(audience).toSorted())
})

test.each(['small-waiting', 'small-claimed', 'retrying'])(
  'the small send %s is sent to each target once',
  async (uid) => {
    expect(await waitForPushes(uid)).toEqual([`${uid}-1`, `${uid}-2`])
  },
)

test('a dead letter is listed, and sent when it is retried', async () => {
  expect(pushes.get('given-up')).toBeUndefined()
  const [letter] = await queue.listDeadLetters({}, 10)
  expect(letter).toMatchObject({ uid: 'given-up', provider: 'fcm', count: 2, reason: 'QUOTA_EXCEEDED', attempts: 1 })
  expect(await queue.retryDeadLetters({ uid: 'given-up' })).toBe(2)
  expect(await waitForPushes('given-up')).toEqual(['given-up-1', 'given-up-2'])
})

test('a cancelled send ends without a push, and so does the batch of a worker that had claimed it', async () => {
  await vi.waitFor(
    async () => {
      const rows = await database.sql`select uid from push_batches where uid in ('cancelled', 'cancelled-pages')`
      expect(rows).toHaveLength(0)
    },
    { timeout: 60_000, interval: 50 },
  )
  expect(pushes.get('cancelled') ?? []).toEqual([])
  expect(pushes.get('cancelled-pages') ?? []).toEqual([])
})

test.each(['walk-scheduled-far', 'scheduled-far'])('the send %s keeps its time', async (uid) => {
  const [row] = await database.sql`
    select state, claimable_at > '2099-01-01' as is_scheduled from push_sends where uid = ${uid}`
  expect(row).toEqual({ state: WAITING, is_scheduled: true })
  expect(pushes.get(uid)).toBeUndefined()
})

test('no batch remains', async () => {
  await vi.waitFor(async () => expect(await database.sql`select uid from push_batches`).toHaveLength(0), {
    timeout: 60_000,
    interval: 50,
  })
})
