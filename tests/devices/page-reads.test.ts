// The reads of one page of a walk. It must be fast for any position of a topic's devices and any number of other
// devices.
import * as v from 'valibot'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FIRST_UUID } from '../../src/devices/device-id.ts'
import { walkDevices } from '../../src/devices/device-walk.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

const OTHERS = 60_000
const SUBSCRIBERS = 20_000
const PAGE = 1000
/** Twice the blocks of a page of devices and their subscriptions. The table of these devices has thousands. */
const MAX_BLOCKS = 150

const Plan = v.tuple([
  v.object({
    'QUERY PLAN': v.tuple([
      v.object({ Plan: v.object({ 'Shared Hit Blocks': v.number(), 'Shared Read Blocks': v.number() }) }),
    ]),
  }),
])

let database: TestDatabase
let topicId: number

beforeAll(async () => {
  database = await createTestDatabase()
  const { sql } = database
  // Only the newest devices have the topic, and their ids are last.
  const [topic] = await sql`insert into topics (name) values ('late') returning id`
  topicId = Number(topic?.id)
  await sql`
    insert into devices (id, created_at, updated_at, registered_at, provider, platform, token, user_id)
    select
      (lpad(to_hex(n), 12, '0') || substr(md5('id' || n), 1, 20))::uuid, now, now, now, 1, 2, repeat('t', 150) || n, ''
    from generate_series(1, ${OTHERS + SUBSCRIBERS}::int) as n, now()`
  await sql`
    insert into device_topics (device_id, topic_id)
    select id, ${topicId} from devices order by id offset ${OTHERS}`
  await sql`vacuum analyze devices, device_topics`
})
afterAll(() => database.drop())

async function readPage(afterUuid: string): Promise<{ blocks: number; last: string }> {
  const { sql } = database
  const conditions = {
    ids: undefined,
    users: undefined,
    topicIds: [topicId],
    providers: undefined,
    platforms: undefined,
  }
  const page = walkDevices(sql, sql`d.id`, { conditions, afterUuid, limit: PAGE })
  const [{ 'QUERY PLAN': plans }] = v.parse(Plan, [...(await sql`explain (analyze, buffers, format json) ${page}`)])
  const { 'Shared Hit Blocks': hit, 'Shared Read Blocks': read } = plans[0].Plan
  const rows = await sql`${page}`
  return { blocks: hit + read, last: String(rows.at(-1)?.id) }
}

test('each page of a topic of late devices reads only its own devices, also the first and the last page', async () => {
  let after = FIRST_UUID
  for (let page = 0; page < SUBSCRIBERS / PAGE; page++) {
    const { blocks, last } = await readPage(after)
    expect(blocks, `page ${page}`).toBeLessThan(MAX_BLOCKS)
    after = last
  }
})
