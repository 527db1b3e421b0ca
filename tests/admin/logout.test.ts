import { afterAll, beforeAll, expect, test } from 'vitest'
import { EndedSessions } from '../../src/admin/auth/ended-sessions.ts'
import { beginSession } from '../../src/admin/auth/session.ts'
import { openDatabase } from '../../src/database/pool.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { makeTestLogger } from '../support/run-log.ts'

const logger = makeTestLogger()
let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})

afterAll(() => database.drop())

test('a logout at one server counts at all of them', async () => {
  const [here, there] = [0, 1].map(() => new EndedSessions({ sql: database.sql, logger }))
  const [session, other] = [beginSession(Date.now(), 'admin'), beginSession(Date.now(), 'admin')]
  await here?.end(session)
  await here?.end(session)
  expect(await there?.has(session.id)).toBe(true)
  expect(await there?.has(other.id)).toBe(false)
})

test('logouts are deleted when their tokens have expired, and not before', async () => {
  const ended = new EndedSessions({ sql: database.sql, logger })
  const [current, old] = [beginSession(Date.now(), 'admin'), beginSession(0, 'admin')]
  for (const session of [current, old]) await ended.end(session)
  await ended.deleteExpired()
  const rows = await database.sql`select id from admin_ended_sessions where id in (${current.id}, ${old.id})`
  expect(rows).toEqual([{ id: current.id }])
})

test.each(['without a database', 'while PostgreSQL is down'])('%s, logouts at this server count', async (when) => {
  const lost = openDatabase({ dsn: database.dsn, maxConnections: 1 })
  await lost.end()
  const sql = when === 'without a database' ? undefined : lost
  const ended = new EndedSessions({ sql, logger })
  const session = beginSession(Date.now(), 'admin')
  await ended.end(session).catch(() => undefined)
  expect(await ended.has(session.id)).toBe(true)
  expect(await ended.has('another')).toBe(false)
})
