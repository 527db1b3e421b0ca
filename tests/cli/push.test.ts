import { afterAll, beforeAll, expect, test } from 'vitest'
import { PostgresReports } from '../../src/analytics/postgres/postgres-reports.ts'
import { formatDeviceId, makeDeviceUuid } from '../../src/devices/device-id.ts'
import { startPostgresWriter } from '../analytics/postgres-rig.ts'
import { SENT, SOURCE } from '../analytics/writer-rig.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { runCommand } from './command.ts'

const DEVICE = formatDeviceId(makeDeviceUuid(Date.now()), 'fcm')
const FAILED = { ...SENT, status: 'failed', deviceId: DEVICE, user: 'anna', errorCode: 'UNREGISTERED' } as const

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

const run = (...args: string[]) => runCommand(database.dsn, ['push', ...args])

test('events lists what was recorded, and explain names the reason, as text and as JSON', async () => {
  const writer = startPostgresWriter(database.sql)
  writer.analytics.recordEvents({ ...SOURCE, uid: 'a-send' }, [FAILED, { ...SENT, deviceId: 'other' }])
  await writer.flush()
  const events = await run('events', '--uid', 'a-send', '--device', DEVICE)
  expect(events.stderr).toBe('')
  expect(events.stdout).toMatch(/^\S+Z {2}failed {2}fcm {2}\S+-fcm {2}user anna {2}UNREGISTERED {2}uid a-send\n$/)
  const first = await run('events', '--uid', 'a-send', '--limit', '1')
  const cursor = /^more: --cursor (\S+)$/m.exec(first.stdout)?.[1] ?? ''
  const second = await run('events', '--uid', 'a-send', '--cursor', cursor)
  expect([first.stdout, second.stdout].join().match(/uid a-send/g)).toHaveLength(2)

  const explained = await run('explain', 'a-send', '--device', DEVICE)
  expect(explained.stdout).toMatch(
    new RegExp(`^${DEVICE}, user anna: failed \\(UNREGISTERED, .*Z\\)\n {2}The provider`),
  )
  expect(explained.stdout).toMatch(/^ {2}attempts {9}failed \(UNREGISTERED, /m)
  const { stdout } = await run('explain', 'a-send', '--user', 'anna', '--json')
  expect(JSON.parse(stdout)).toMatchObject({ items: [{ device_id: DEVICE, reason: 'failed', provider: 'fcm' }] })
})

test('events --json is the result of push_events', async () => {
  const reports = new PostgresReports({ sql: database.sql, onStored: () => undefined })
  await reports.recordStatus({ uid: 'reported', status: 'delivered', deviceId: DEVICE, messageId: 'm' })
  const { stdout } = await run('events', '--uid', 'reported', '--json')
  expect(JSON.parse(stdout)).toEqual({
    items: [{ time_ms: expect.any(Number), uid: 'reported', status: 'delivered', device_id: DEVICE, msg_id: 'm' }],
  })
})

test.each([
  [['explain'], /explain: expected the uid of a send/],
  [['explain', 'a-send'], /user, device_id: one of them is required/],
  [['events'], /uid, device_id, user: one of them is required/],
  [['events', '--uid', 'u', '--limit', 'x'], /--limit: expected a whole number/],
  [['events', '--uid', 'u', '--cursor', 'x'], /cursor: not a cursor of events/],
  [['nothing'], /expected an action/],
])('%j is refused with exit code 2', async (args, message) => {
  const { code, stderr } = await run(...args)
  expect(stderr).toMatch(message)
  expect(code).toBe(2)
})
