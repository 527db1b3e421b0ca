// A write whose call was answered with an error is not executed when the store gets it at last.
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { openDatabase } from '../../src/database/pool.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { RedisQueue } from '../../src/queue/redis/redis-queue.ts'
import { DEFAULT_ACK_RULE } from '../../src/sends/ack-rule.ts'
import { createTestDatabase } from '../support/database.ts'
import { KillableRedis } from '../support/killable-redis.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { batchOf, linesOf, storedLines } from './make-batch.ts'
import { makeSend } from './make-send.ts'

/** Long enough for the calls before the stall on a slow machine. */
const ANSWER_TIMEOUT_MS = 2500
const OPTIONS = { leaseMs: 60_000, maxJobs: 1000, logger: makeTestLogger(), answerTimeoutMs: ANSWER_TIMEOUT_MS }

interface Rig {
  proxy: TcpProxy
  /** Reaches its store through the proxy. */
  distant: Queue
  /** The same queue without the proxy. */
  direct: Queue
  /** Resolves when the store has answered all that it got through the proxy. */
  drained(): Promise<void>
}

const closings: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closings.splice(0).toReversed()) await close()
})

async function startOnPostgres(): Promise<Rig> {
  const database = await createTestDatabase()
  closings.push(() => database.drop())
  const dsn = new URL(database.dsn)
  const proxy = await startTcpProxy(Number(dsn.port))
  closings.push(() => proxy.cut())
  dsn.port = String(proxy.port)
  const sql = openDatabase({ dsn: dsn.href, maxConnections: 10, plans: 'once' })
  const distant = new PostgresQueue({ sql, ...OPTIONS })
  const direct = new PostgresQueue({ sql: database.queueSql, ...OPTIONS })
  closings.push(() => direct.close())
  closings.push(() => distant.close())
  return { proxy, distant, direct, drained: () => sql.end() }
}

async function startOnRedis(): Promise<Rig> {
  const server = await KillableRedis.start()
  closings.push(() => server.stop())
  const proxy = await startTcpProxy(server.port)
  closings.push(() => proxy.cut())
  const prefix = randomUUID()
  const connect = (port: number) => new Redis({ port, host: '127.0.0.1', commandTimeout: ANSWER_TIMEOUT_MS })
  const open = (client: Redis) => {
    const queue = new RedisQueue({ client, subscriber: connect(server.port), prefix, ...OPTIONS })
    closings.push(() => queue.close())
    return queue
  }
  const client = connect(proxy.port)
  const distant = open(client)
  return { proxy, distant, direct: open(connect(server.port)), drained: async () => void (await client.ping()) }
}

/** A send with one dead letter. @returns its uid */
async function giveUpOne(queue: Queue): Promise<string> {
  const { uid } = await enqueueOne(queue)
  const [claim] = await queue.claimBatches('small', ['fcm'], 1)
  if (!claim) throw new Error('no batch to give up')
  const givenUp = [{ ...storedLines(linesOf('a')), reason: 'UNAVAILABLE' }]
  await queue.acknowledge(claim, { retries: [], givenUp })
  return uid
}

async function enqueueOne(queue: Queue) {
  const send = makeSend({ lane: 'small' })
  await queue.enqueue(send, { batches: [batchOf('small', 'a')], cursor: undefined })
  return send
}

/** Calls each write of the API and of the command line. @returns how to find out which of them were executed */
async function prepareWrites({ distant, direct }: Rig) {
  const [retried, deleted] = [await giveUpOne(distant), await giveUpOne(distant)]
  const [cancelled, excluded, enqueued] = [await enqueueOne(distant), await enqueueOne(distant), makeSend()]
  await distant.pause('apns', 'paused', undefined)
  const writes = [
    () => distant.enqueue(enqueued),
    () => distant.cancel(cancelled.uid),
    () => distant.exclude(excluded.uid, { user: 'u', deviceId: '' }),
    () => distant.pause('hms', 'late', undefined),
    () => distant.resume('apns'),
    () => distant.retryDeadLetters({ uid: retried }),
    () => distant.deleteDeadLetters({ uid: deleted }),
  ]
  const readState = async () => ({
    enqueued: (await direct.loadSend(enqueued.uid)) !== undefined,
    cancelled: (await direct.loadSend(cancelled.uid)) === undefined,
    excluded: await direct.findExcluded(excluded.uid, [{ user: 'u', deviceId: 'd' }], DEFAULT_ACK_RULE),
    paused: (await direct.stats()).pauses.map(({ provider }) => provider),
    deadLetters: (await direct.listDeadLetters({}, 10)).map(({ uid }) => uid),
  })
  return { writes, readState }
}

describe.each([
  ['PostgreSQL', startOnPostgres],
  ['Redis', startOnRedis],
])('on %s', (_name, start) => {
  test('writes in a stalled link fail, and the store refuses them when the link passes them on', async () => {
    const rig = await start()
    const { writes, readState } = await prepareWrites(rig)
    const before = await readState()
    rig.proxy.stall()
    const answers = await Promise.allSettled(writes.map((write) => write()))
    expect(answers.map(({ status }) => status)).toEqual(writes.map(() => 'rejected'))
    rig.proxy.resume()
    await rig.drained()
    expect(await readState()).toEqual(before)
  })

  test('after the stall the same writes are executed', async () => {
    const rig = await start()
    const { writes, readState } = await prepareWrites(rig)
    rig.proxy.stall()
    await Promise.allSettled(writes.map((write) => write()))
    rig.proxy.resume()
    await vi.waitFor(() => Promise.all(writes.map((write) => write())), { timeout: 20_000 })
    expect(await readState()).toEqual({
      enqueued: true,
      cancelled: true,
      excluded: [true],
      paused: ['hms'],
      deadLetters: [],
    })
  })
})
