// Many scheduled sends are due in the same second, and the processes that walk them are killed.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Queue } from '../../src/queue/queue.ts'
import { makeKeys } from '../../src/queue/redis/keys.ts'
import type { SendClaim } from '../../src/queue/send.ts'
import { makeSend } from '../queue/make-send.ts'
import { createTestDatabase } from '../support/database.ts'
import { KillableRedis } from '../support/killable-redis.ts'
import { openQueue, type QueueStore, startFanOut } from './walking-process.ts'

const SENDS = 1500
const PROGRAM = fileURLToPath(new URL('walking-process.ts', import.meta.url))
/** Time for the processes to start before the sends are due, in ms. */
const UNTIL_DUE_MS = 8000
const WAIT = { timeout: 60_000, interval: 20 }

/** A store and its stored batches: for each batch the uid of its send and the Unix ms at which it was stored. */
interface Case {
  store: QueueStore
  readBatches(): Promise<{ uid: string; atMs: number }[]>
}

async function openPostgres(): Promise<Case> {
  const database = await createTestDatabase()
  onTestFinished(() => database.drop())
  const readBatches = async () => {
    const rows = await database.sql<{ uid: string; at_ms: string }[]>`
      select uid, ceil(extract(epoch from claimable_at) * 1000) as at_ms from push_batches`
    return rows.map(({ uid, at_ms }) => ({ uid, atMs: Number(at_ms) }))
  }
  return { store: { dsn: database.dsn }, readBatches }
}

async function openRedis(): Promise<Case> {
  const server = await KillableRedis.start()
  const redis = new Redis({ port: server.port, host: '127.0.0.1' })
  onTestFinished(async () => {
    redis.disconnect()
    await server.stop()
  })
  const prefix = randomUUID()
  const stream = makeKeys(prefix).batches('small', 'fcm')
  const readBatches = async () => {
    const entries = await redis.xrange(stream, '-', '+')
    return entries.map(([id, fields]) => ({
      uid: fields[fields.indexOf('u') + 1] ?? '',
      atMs: Number(id.split('-')[0]),
    }))
  }
  return { store: { port: server.port, prefix }, readBatches }
}

function startProcess(store: QueueStore): ChildProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, JSON.stringify(store)], { stdio: 'ignore' })
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) await kill(child)
  })
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

async function schedule(queue: Queue, dueMs: number): Promise<string[]> {
  const uids = Array.from({ length: SENDS }, () => randomUUID())
  await Promise.all(uids.map((uid) => queue.enqueue(makeSend({ uid, lane: 'small', sendAtMs: dueMs }))))
  return uids
}

test.each([
  ['PostgreSQL', openPostgres],
  ['Redis', openRedis],
])('on %s each is stored as batches once and not before its time, although processes are killed', async (_, open) => {
  const { store, readBatches } = await open()
  const queue = openQueue(store)
  onTestFinished(() => queue.close())
  const dueMs = Date.now() + UNTIL_DUE_MS
  const children = [startProcess(store), startProcess(store)]
  const uids = await schedule(queue, dueMs)
  // Claims find nothing before the time. The first one after it is abandoned.
  let claims: SendClaim[] = []
  while (claims.length === 0 && Date.now() < dueMs + 1000) claims = await queue.claimSends('small', 10)
  expect(Date.now()).toBeGreaterThanOrEqual(dueMs)
  // Each kill hits a process that has claimed some sends and stored the batches of others.
  for (const [index, child] of children.entries()) {
    const least = ((index + 1) * SENDS) / 5
    await vi.waitFor(async () => expect((await readBatches()).length).toBeGreaterThan(least), WAIT)
    await kill(child)
  }
  expect((await readBatches()).length).toBeLessThan(SENDS)
  const last = startFanOut(queue)
  onTestFinished(() => last.stop())
  await vi.waitFor(async () => expect((await readBatches()).length).toBeGreaterThanOrEqual(SENDS), WAIT)
  await last.stop()
  const batches = await readBatches()
  expect(batches.map(({ uid }) => uid).sort()).toEqual(uids.sort())
  expect(Math.min(...batches.map(({ atMs }) => atMs))).toBeGreaterThanOrEqual(dueMs)
})
