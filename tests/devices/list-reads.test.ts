// The rows that a page of the lists of subscriptions reads. It must be the same for any page and any size of a topic.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase, type Sql } from '../../src/database/pool.ts'
import { formatDeviceId } from '../../src/devices/device-id.ts'
import { listDeviceTopics } from '../../src/devices/list-device-topics.ts'
import { listUserTopics } from '../../src/devices/list-user-topics.ts'
import { formatTopicCursor } from '../../src/devices/topic-cursor.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

const DEVICES = 30_000
const OTHER_TOPICS = 5000
/** A page has 100 rows of up to three tables. */
const MAX_READS = 1000

let database: TestDatabase
let sql: Sql
let topicId: number

beforeAll(async () => {
  database = await createTestDatabase()
  // The statistics of reads are those of one connection.
  sql = openDatabase({ dsn: database.dsn, maxConnections: 1 })
  await sql`insert into topics (name) select 'chat:' || n from generate_series(1, ${OTHER_TOPICS}::int) as n`
  const [topic] = await sql`insert into topics (name) values ('big') returning id`
  topicId = Number(topic?.id)
  await sql`
    insert into devices (id, created_at, updated_at, registered_at, provider, platform, token, user_id)
    select gen_random_uuid(), now(), now(), now(), 1, 2, repeat('t', 100) || n, 'user-' || n
    from generate_series(1, ${DEVICES}::int) as n`
  await sql`insert into device_topics (topic_id, device_id) select ${topicId}, id from devices`
  await sql`insert into user_topics (topic_id, user_id) select ${topicId}, user_id from devices`
  await sql`
    insert into device_topics (topic_id, device_id)
    select topics.id, d.id from topics cross join (select id from devices limit 2) as d where topics.id <> ${topicId}`
  await sql`analyze`
})
afterAll(async () => {
  await sql.end({ timeout: 0 })
  await database.drop()
})

async function countReads(work: () => Promise<unknown>): Promise<number> {
  const read = async () => {
    await sql`select pg_stat_force_next_flush()`
    const [row] = await sql<{ rows: string }[]>`
      select (select sum(idx_tup_read) from pg_stat_user_indexes) +
        (select sum(seq_tup_read) from pg_stat_user_tables) as rows`
    return Number(row?.rows)
  }
  const before = await read()
  await work()
  return (await read()) - before
}

/** The id of the subscription at a position in the list of the topic. */
async function deviceAt(position: number): Promise<string> {
  const [row] = await sql<{ device_id: string }[]>`
    select device_id from device_topics where topic_id = ${topicId} order by device_id offset ${position} limit 1`
  return formatTopicCursor({ topicId, owner: formatDeviceId(row?.device_id ?? '', 'fcm') })
}

async function userAt(position: number): Promise<string> {
  const [row] = await sql<{ user_id: string }[]>`
    select user_id from user_topics where topic_id = ${topicId} order by user_id offset ${position} limit 1`
  return formatTopicCursor({ topicId, owner: row?.user_id ?? '' })
}

const ALL_DEVICES = { ids: [], users: [], providers: [], platforms: [] }
const BY_NAME = { topics: ['big'], topicPrefix: '' }
const BY_PREFIX = { topics: [], topicPrefix: 'bi' }
const ALL = { topics: [], topicPrefix: '' }

test.each([
  ['by its name', BY_NAME],
  ['by its prefix', BY_PREFIX],
  ['among all topics', ALL],
])('a page of a topic %s reads only its own rows, wherever it begins', async (_, topics) => {
  for (const position of [0, DEVICES / 2, DEVICES - 1000]) {
    const deviceCursor = await deviceAt(position)
    const userCursor = await userAt(position)
    const page = { limit: 0, includeTotalCount: false, topics }
    const devices = () => listDeviceTopics(sql, { ...page, devices: ALL_DEVICES, cursor: deviceCursor })
    expect(await countReads(async () => expect((await devices()).items).toHaveLength(100))).toBeLessThan(MAX_READS)
    expect((await devices()).items[0]?.id).toBe(await deviceAt(position + 1))
    const users = () => listUserTopics(sql, { ...page, users: [], cursor: userCursor })
    expect(await countReads(async () => expect((await users()).items).toHaveLength(100))).toBeLessThan(MAX_READS)
    expect((await users()).items[0]?.id).toBe(await userAt(position + 1))
  }
})

test('the pages of several topics together have each subscription once', async () => {
  const topics = { topics: ['chat:1', 'big', 'chat:2', 'unknown'], topicPrefix: '' }
  const query = { devices: ALL_DEVICES, topics, limit: 1000, includeTotalCount: true }
  const ids: string[] = []
  let cursor: string | undefined = ''
  let total: number | undefined
  while (cursor !== undefined) {
    const page: Awaited<ReturnType<typeof listDeviceTopics>> = await listDeviceTopics(sql, { ...query, cursor })
    ids.push(...page.items.map(({ id }) => id))
    cursor = page.nextCursor
    total = page.totalCount
  }
  expect(total).toBe(DEVICES + 4)
  expect(ids).toHaveLength(DEVICES + 4)
  expect(ids).toEqual([...new Set(ids)].sort())
})
