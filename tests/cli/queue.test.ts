import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { formatDeviceId } from '../../src/devices/device-id.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { newLines, readLines, storedLines } from '../queue/make-batch.ts'
import { makeSend } from '../queue/make-send.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { runCommand } from './command.ts'

const DEVICE = randomUUID()

let database: TestDatabase
let queue: PostgresQueue

beforeEach(async () => {
  database = await createTestDatabase()
  queue = new PostgresQueue({ sql: database.queueSql, logger: makeTestLogger(), leaseMs: 15_000, maxJobs: 1000 })
})
afterEach(async () => {
  await queue.close()
  await database.drop()
})

const run = (...args: string[]) => runCommand(database.dsn, ['queue', ...args])

async function enqueue(uid: string): Promise<void> {
  const lines = [`${DEVICE}\ttoken-of-${uid}\tuser\tios`, '\traw-token\t\t']
  const batch = { provider: 'fcm', lane: 'small', targetKind: 'token', ...newLines(lines) } as const
  await queue.enqueue(makeSend({ uid }), { batches: [batch], cursor: undefined })
}

async function bury(uid: string): Promise<void> {
  await enqueue(uid)
  const [claim] = await queue.claimBatches('small', ['fcm'], 1)
  if (!claim) throw new Error('the batch should be claimable')
  await queue.acknowledge(claim, {
    retries: [],
    givenUp: [{ ...storedLines(readLines(claim)), reason: 'UNAVAILABLE' }],
  })
}

test('stats shows waiting batches, dead letters and paused providers', async () => {
  await bury('first')
  await enqueue('second')
  await queue.pause('apns', 'stopped for the night', undefined)
  const { code, stdout } = await run('stats')
  expect(code).toBe(0)
  expect(stdout).toContain('fcm: 1 batches waiting, 0 in flight\n')
  expect(stdout).toContain('dead letters: 1\n')
  expect(stdout).toContain('apns is paused, until it is resumed: stopped for the night\n')
})

test('dead lists dead letters, with --devices also their devices, and shows no token', async () => {
  await bury('first')
  await bury('second')
  const { stdout } = await run('dead', '--uid', 'first', '--devices')
  expect(stdout).toMatch(/^\d+ {2}\S+Z {2}fcm {2}2 targets {2}1 attempts {2}UNAVAILABLE {2}uid first\n/)
  expect(stdout).toContain(`\n  ${formatDeviceId(DEVICE, 'fcm')}\n  (no device)\n`)
  expect(stdout).not.toContain('token')
  expect(stdout).not.toContain('second')
})

test('retry sends selected dead letters again, drop deletes them', async () => {
  await bury('first')
  await bury('second')
  await bury('third')
  expect(await run('retry', '--uid', 'first')).toMatchObject({ code: 0, stdout: '2 targets are sent again\n' })
  expect(await queue.claimBatches('small', ['fcm'], 10)).toMatchObject([{ uid: 'first', count: 2, attempt: 1 }])
  expect(await run('drop', '--all')).toMatchObject({ code: 0, stdout: '4 targets deleted\n' })
  expect(await run('dead')).toMatchObject({ code: 0, stdout: 'no dead letters\n' })
})

test('retry and drop without a selection name the dead letters that exist, and change nothing', async () => {
  expect(await run('retry')).toMatchObject({
    code: 2,
    stderr:
      'centripush queue: expected a selection of dead letters: --uid, --provider, --id or --all\n' +
      'centripush queue: there are no dead letters\n',
  })
  await bury('first')
  await bury('second')
  expect(await run('drop')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /--all\ncentripush queue: \d+ {2}\S+Z {2}fcm {2}2 targets .* uid (first|second)\n.* uid/,
    ),
  })
  expect(await queue.listDeadLetters({}, 10)).toHaveLength(2)
})

test('nothing is sent to a provider between pause and resume, and cancel stops a send', async () => {
  await run('pause', 'fcm', '--reason', 'stopped for the night')
  await enqueue('first')
  expect(await queue.claimBatches('small', ['fcm'], 1)).toEqual([])
  await run('cancel', 'first')
  await run('resume', 'fcm')
  expect(await queue.claimBatches('small', ['fcm'], 1)).toMatchObject([{ uid: 'first', sendState: 'cancelled' }])
})
