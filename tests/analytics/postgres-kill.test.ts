// Reports on PostgreSQL are not lost after their answer, whatever happens to the server.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TEST_KEY } from '../support/assembly.ts'
import { startCentripush } from '../support/centripush-process.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

const CONNECTIONS = 16
/** The answered reports after which the server is killed. */
const ANSWERED = 200

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

test('a server that is killed right after its answers has lost none of the answered reports', async () => {
  const server = await startCentripush({ http_api: { key: TEST_KEY }, database: { postgresql: { dsn: database.dsn } } })
  const answered: string[] = []
  let sent = 0
  let killed: Promise<void> | undefined
  const report = async (): Promise<void> => {
    while (!killed) {
      const msg_id = `message-${sent++}`
      const body = JSON.stringify({ analytics_uid: 'u', status: 'delivered', device_id: 'd', msg_id })
      const headers = { 'x-api-key': TEST_KEY }
      const answer = await fetch(`${server.url}/api/update_push_status`, { method: 'POST', headers, body })
      expect(await answer.json()).toEqual({ result: {} })
      answered.push(msg_id)
      if (answered.length === ANSWERED) killed = server.kill()
    }
  }
  // Requests that the kill interrupts are not answered.
  await Promise.allSettled(Array.from({ length: CONNECTIONS }, report))
  await killed
  const rows = await database.sql`select msg_id from notifications where status = 'delivered'`
  const stored = new Set(rows.map(({ msg_id }) => msg_id))
  expect(answered.length).toBeGreaterThanOrEqual(ANSWERED)
  expect(answered.filter((id) => !stored.has(id))).toEqual([])
})
