import { afterAll, beforeAll, expect, test } from 'vitest'
import { PostgresReports } from '../../src/analytics/postgres/postgres-reports.ts'
import { formatDeviceId, makeDeviceUuid } from '../../src/devices/device-id.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { startPostgresWriter } from '../analytics/postgres-rig.ts'
import { SENT, SOURCE } from '../analytics/writer-rig.ts'
import { batchOf } from '../queue/make-batch.ts'
import { makeSend } from '../queue/make-send.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { makeTestLogger } from '../support/run-log.ts'
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
  const writer = await startPostgresWriter(database.sql)
  void writer.analytics.recordEvents({ ...SOURCE, uid: 'a-send' }, [FAILED, { ...SENT, deviceId: 'other' }])
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
  const reports = new PostgresReports({ sql: database.sql, onStored: async () => undefined })
  await reports.recordStatus({ uid: 'reported', status: 'delivered', deviceId: DEVICE, messageId: 'm' })
  const { stdout } = await run('events', '--uid', 'reported', '--json')
  expect(JSON.parse(stdout)).toEqual({
    items: [{ time_ms: expect.any(Number), uid: 'reported', status: 'delivered', device_id: DEVICE, msg_id: 'm' }],
  })
})

test('list and info show the reports of sends, as text and as JSON', async () => {
  const queue = new PostgresQueue({ sql: database.queueSql, logger: makeTestLogger(), leaseMs: 15_000, maxJobs: 100 })
  const send = makeSend({ uid: 'campaign 7', lane: 'small' })
  await queue.enqueue(send, { batches: [batchOf('small', 'a', 'b', 'c')], cursor: undefined })
  await queue.enqueue(makeSend({ uid: 'later', sendAtMs: Date.UTC(2050, 0) }))
  const [claim] = await queue.claimBatches('small', ['fcm'], 1)
  if (!claim) throw new Error('the batch should be claimable')
  const fcm = { provider: 'fcm', count: 1 } as const
  const counts = [
    { ...fcm, counted: 'sent', reason: '', count: 2 },
    { ...fcm, counted: 'failed', reason: 'UNREGISTERED' },
  ] as const
  await queue.acknowledge(claim, { retries: [], givenUp: [], counts })
  await queue.close()

  const info = await run('info', 'campaign 7')
  expect(info.stderr).toBe('')
  expect(info.stdout).toMatch(/^uid {9}campaign 7\n/)
  expect(info.stdout).toMatch(/^state {7}ended\n.*^targets {5}3\nsent {8}2\nfailed {6}1\n {2}1 {2}fcm UNREGISTERED\n/ms)
  const { stdout } = await run('info', 'campaign 7', '--json')
  expect(JSON.parse(stdout)).toMatchObject({ uid: 'campaign 7', targets: 3, sent: 2, failed: 1 })

  const first = await run('list', '--limit', '1')
  const cursor = /^\S+Z {2}scheduled {2}0 of 0 sent {2}uid later\nmore: --cursor (\S+)\n$/.exec(first.stdout)?.[1] ?? ''
  const second = await run(
    'list',
    '--cursor',
    cursor,
    '--state',
    'ended',
    '--prefix',
    'camp',
    '--to',
    '2050-01-01T00:00Z',
  )
  expect(second.stdout).toMatch(/^\S+Z {2}ended {2}2 of 3 sent {2}1 failed {2}uid campaign 7\n$/)
})

test.each([
  [['info'], /info: expected the uid of a send/],
  [['list', '--from', 'yesterday'], /--from: expected a time/],
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
