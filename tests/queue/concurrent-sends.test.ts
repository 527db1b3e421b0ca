// Concurrent calls that store and cancel sends share statements and scripts. They have the results of calls one after
// another, and a bad one fails alone.
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { openDatabase, type Sql } from '../../src/database/pool.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { RedisQueue } from '../../src/queue/redis/redis-queue.ts'
import type { Page, Send } from '../../src/queue/send.ts'
import { createTestDatabase } from '../support/database.ts'
import { fc } from '../support/fast-check.ts'
import { KillableRedis } from '../support/killable-redis.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { batchOf } from './make-batch.ts'
import { makeSend } from './make-send.ts'

const OPTIONS = { leaseMs: 60_000, maxJobs: 1_000_000, logger: makeTestLogger() }
const LATER_MS = Date.now() + 3_600_000
const LARGE = Buffer.alloc(40_000, 'x').toString()

interface Rig {
  proxy: TcpProxy
  /** Reaches its store through the proxy. */
  distant: Queue
  /** The same queue without the proxy. */
  direct: Queue
}

const closings: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closings.splice(0).toReversed()) await close()
})

async function startOnPostgres(options = OPTIONS): Promise<Rig & { sql: Sql }> {
  const database = await createTestDatabase()
  closings.push(() => database.drop())
  const dsn = new URL(database.dsn)
  const proxy = await startTcpProxy(Number(dsn.port))
  closings.push(() => proxy.cut())
  dsn.port = String(proxy.port)
  const sql = openDatabase({ dsn: dsn.href, maxConnections: 4, plans: 'once' })
  closings.push(() => sql.end({ timeout: 0 }))
  const distant = new PostgresQueue({ sql, ...options })
  const direct = new PostgresQueue({ sql: database.queueSql, ...options })
  closings.push(() => direct.close())
  closings.push(() => distant.close())
  return { proxy, distant, direct, sql: database.sql }
}

async function startRedis(): Promise<KillableRedis> {
  const server = await KillableRedis.start()
  closings.push(() => server.stop())
  return server
}

async function startOnRedis(options = OPTIONS): Promise<Rig> {
  const server = await startRedis()
  const proxy = await startTcpProxy(server.port)
  closings.push(() => proxy.cut())
  const prefix = randomUUID()
  const connect = (port: number) => {
    const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 20, maxRetriesPerRequest: 0 })
    // The proxy cuts connections on purpose.
    client.on('error', () => undefined)
    return client
  }
  const open = (port: number) => {
    const queue = new RedisQueue({ client: connect(port), subscriber: connect(server.port), prefix, ...options })
    closings.push(() => queue.close())
    return queue
  }
  return { proxy, distant: open(proxy.port), direct: open(server.port) }
}

const stores = [
  ['PostgreSQL', startOnPostgres],
  ['Redis', startOnRedis],
] as const

/** The state of a uid before the concurrent calls. */
type Before = 'unknown' | 'cancelled' | 'excluded' | 'stored'
type Call =
  | { kind: 'cancel'; uid: number }
  | { kind: 'enqueue'; uid: number; hash: number; form: 'batches' | 'waiting' | 'later' | 'empty' | 'large' | 'bad' }

const UIDS = 4
const chooseBefore = fc.array(fc.constantFrom<Before>('unknown', 'unknown', 'cancelled', 'excluded', 'stored'), {
  minLength: UIDS,
  maxLength: UIDS,
})
const uid = fc.nat(UIDS - 1)
const chooseCalls = fc.array(
  fc.oneof(
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), uid }) },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('enqueue' as const),
        uid,
        hash: fc.integer({ min: 1, max: 2 }),
        form: fc.constantFrom('batches', 'batches', 'waiting', 'later', 'empty', 'large', 'bad' as const),
      }),
    },
  ),
  { minLength: 1, maxLength: 20 },
)

function makeCall(name: string, { hash, form }: Extract<Call, { kind: 'enqueue' }>): [Send, Page | undefined] {
  const send = makeSend({
    uid: name,
    lane: 'small',
    requestHash: Buffer.alloc(32, hash),
    ...(form === 'later' && { sendAtMs: LATER_MS }),
    ...(form === 'large' && { json: Buffer.from(JSON.stringify(LARGE)) }),
  })
  // PostgreSQL stores no text with a NUL; Redis does.
  if (form === 'bad') return [{ ...send, content: { ...send.content, analyticsUid: 'a\0b' } }, undefined]
  if (form === 'waiting' || form === 'later') return [send, undefined]
  const batches = form === 'empty' ? [] : [batchOf('small', 'a'), batchOf('small', 'b')]
  return [send, { batches, cursor: undefined }]
}

const PLAIN = { kind: 'enqueue', uid: 0, hash: 1, form: 'batches' } as const

const names = (run: string) => Array.from({ length: UIDS }, (_, index) => `${run}-${index}`)

async function prepare(queue: Queue, uids: readonly string[], before: readonly Before[]): Promise<void> {
  for (const [index, state] of before.entries()) {
    const name = uids[index] ?? ''
    if (state === 'cancelled') await queue.cancel(name)
    if (state === 'excluded') await queue.exclude(name, { user: 'user-a', deviceId: '' })
    if (state === 'stored') await queue.enqueue(...makeCall(name, PLAIN))
  }
}

/** Claims all small batches; resolves to the number of batches of each uid in each state. */
async function claimAll(queue: Queue): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  for (;;) {
    const claims = await queue.claimBatches('small', ['fcm'], 100)
    if (claims.length === 0) return found
    for (const { uid, sendState, hasExclusions } of claims) {
      found.set(uid, [...(found.get(uid) ?? []), `${sendState}${hasExclusions ? ' excluded' : ''}`])
    }
  }
}

describe.each(stores)('on %s', (name, start) => {
  test('concurrent calls have the results of calls one after another', async () => {
    const { direct } = await start()
    let run = 0
    await fc.assert(
      fc.asyncProperty(chooseBefore, chooseCalls, async (before, calls) => {
        const uids = names(`run-${run++}`)
        await prepare(direct, uids, before)
        await claimAll(direct)
        const answers = await Promise.allSettled(
          calls.map((call) =>
            call.kind === 'cancel'
              ? direct.cancel(uids[call.uid] ?? '')
              : direct.enqueue(...makeCall(uids[call.uid] ?? '', call)),
          ),
        )
        const claims = await claimAll(direct)
        for (const [index, uid] of uids.entries()) {
          const own = calls.flatMap((call, at) => (call.uid === index ? [{ call, answer: answers[at] }] : []))
          checkOne({ name, before: before[index] ?? 'unknown', own, claims: claims.get(uid) ?? [] })
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe.each(stores)('on %s', (_name, start) => {
  test('when the queue is full, each of many concurrent sends is refused, and nothing is stored', async () => {
    const { direct } = await start({ ...OPTIONS, maxJobs: 1 })
    await direct.enqueue(...makeCall(randomUUID(), PLAIN))
    // The jobs are counted from time to time, not at each send.
    await vi.waitFor(async () => expect(await direct.enqueue(makeSend())).toBe('full'), { timeout: 10_000 })
    await claimAll(direct)
    const sends = Array.from({ length: 10 }, () => makeCall(randomUUID(), PLAIN))
    expect(new Set(await Promise.all(sends.map((send) => direct.enqueue(...send))))).toEqual(new Set(['full']))
    expect(await claimAll(direct)).toEqual(new Map())
  })

  test('when connections are lost, an accepted send is stored once, and a failed one at most once', async () => {
    const { proxy, distant, direct } = await start()
    const [accepted, failed] = [new Set<string>(), new Set<string>()]
    let answered = 0
    const work = async () => {
      while (accepted.size < 200) {
        const uid = randomUUID()
        const isAccepted = await distant.enqueue(...makeCall(uid, PLAIN)).then(
          (result) => result === 'accepted',
          () => false,
        )
        const answers = isAccepted ? accepted : failed
        answers.add(uid)
        if (++answered % 40 === 0) await proxy.mend()
      }
    }
    await Promise.all(Array.from({ length: 20 }, work))
    expect(accepted.size).toBeGreaterThan(0)
    expect(failed.size).toBeGreaterThan(0)
    const claims = await claimAll(direct)
    for (const uid of accepted) expect(claims.get(uid)).toEqual(['live', 'live'])
    for (const uid of failed) expect([0, 2]).toContain(claims.get(uid)?.length ?? 0)
  })
})

test('a group that waits for a lock until its deadline stores none of its sends', async () => {
  const database = await createTestDatabase()
  closings.push(() => database.drop())
  const sql = openDatabase({ dsn: database.dsn, maxConnections: 4, plans: 'once' })
  const queue = new PostgresQueue({ sql, ...OPTIONS, answerTimeoutMs: 1500 })
  closings.push(() => queue.close())
  // A group locks its rows in the order of their uids: the one that waits is between the others.
  const [first, placeholder, stored, last] = ['a', 'b', 'c', 'd']
  await queue.exclude(placeholder, { user: 'u', deviceId: '' })
  await queue.enqueue(...makeCall(stored, PLAIN))
  expect((await claimAll(queue)).size).toBe(1)
  for (const locked of [placeholder, stored]) {
    await database.sql.begin(async (tx) => {
      await tx`select from push_sends where uid = ${locked} for update`
      const answers = [first, locked, last].map((uid) => queue.enqueue(...makeCall(uid, PLAIN)))
      const statuses = (await Promise.allSettled(answers)).map(({ status }) => status)
      expect(statuses).toEqual(['rejected', 'rejected', 'rejected'])
    })
  }
  const direct = new PostgresQueue({ sql: database.queueSql, ...OPTIONS })
  closings.push(() => direct.close())
  // Resolves when the statements of the calls have ended.
  await sql.end()
  expect(await claimAll(direct)).toEqual(new Map())
})

test('a large send that waits for a lock holds up no small ones', async () => {
  const { direct: queue, sql } = await startOnPostgres()
  const [large = '', small = ''] = [randomUUID(), randomUUID()]
  await queue.exclude(large, { user: 'u', deviceId: '' })
  let answer: Promise<unknown> | undefined
  await sql.begin(async (tx) => {
    await tx`select from push_sends where uid = ${large} for update`
    answer = queue.enqueue(...makeCall(large, { ...PLAIN, form: 'large' }))
    expect(await queue.enqueue(...makeCall(small, PLAIN))).toBe('accepted')
    expect([...(await claimAll(queue)).keys()]).toEqual([small])
  })
  expect(await answer).toBe('accepted')
})

test('at maxmemory Redis refuses all sends of a group, and stores cancellations', async () => {
  const server = await startRedis()
  const client = new Redis({ port: server.port, host: '127.0.0.1' })
  const subscriber = new Redis({ port: server.port, host: '127.0.0.1' })
  const queue = new RedisQueue({ client, subscriber, prefix: randomUUID(), ...OPTIONS })
  closings.push(() => queue.close())
  const stored = makeCall(randomUUID(), PLAIN)
  await queue.enqueue(...stored)
  await client.config('SET', 'maxmemory', '1')
  const sends = Array.from({ length: 5 }, () => makeCall(randomUUID(), PLAIN))
  const results = await Promise.all(sends.map((send) => queue.enqueue(...send)))
  expect(new Set(results)).toEqual(new Set(['outOfMemory']))
  await Promise.all([stored, ...sends].map(([{ uid }]) => queue.cancel(uid)))
  await client.config('SET', 'maxmemory', '0')
  expect(await claimAll(queue)).toEqual(new Map([[stored[0].uid, ['cancelled', 'cancelled']]]))
})

interface Outcome {
  name: string
  before: Before
  own: { call: Call; answer: PromiseSettledResult<unknown> | undefined }[]
  /** The states of its batches that the calls have stored. */
  claims: string[]
}

/** Checks the results of the calls with one uid, and the batches that they stored. */
function checkOne({ name, before, own, claims }: Outcome): void {
  const sends: { form: string; hash: number; result: unknown }[] = []
  for (const { call, answer } of own) {
    const isBad = name === 'PostgreSQL' && call.kind === 'enqueue' && call.form === 'bad'
    expect(answer?.status).toBe(isBad ? 'rejected' : 'fulfilled')
    if (call.kind === 'enqueue' && answer?.status === 'fulfilled') sends.push({ ...call, result: answer.value })
  }
  const accepted = sends.filter(({ result }) => result === 'accepted')
  const [winner] = accepted
  expect(accepted).toHaveLength(before === 'stored' || sends.length === 0 ? 0 : 1)
  const hash = before === 'stored' ? 1 : winner?.hash
  for (const send of sends) {
    if (send !== winner) expect(send.result).toBe(send.hash === hash ? 'duplicate' : 'conflict')
  }
  const isCancelledBefore = before === 'cancelled'
  const hasBatches = winner?.form === 'batches' || winner?.form === 'large'
  const isCancelled = own.some(({ call }) => call.kind === 'cancel')
  if (!hasBatches || isCancelledBefore) expect(claims).toEqual([])
  // A cancellation that came first leaves no batch; one that came after its send cancels the batches.
  else if (isCancelled) {
    expect(claims.filter((state) => !state.startsWith('cancelled'))).toEqual([])
    expect([0, 2]).toContain(claims.length)
  } else expect(claims).toEqual(Array.from({ length: 2 }, () => (before === 'excluded' ? 'live excluded' : 'live')))
}
