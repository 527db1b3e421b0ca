// Random sends, acks, cancellations, retries and crashes of workers, on each store. Whatever happens:
// - a user who neither acknowledged nor was cancelled gets the push;
// - no target is handed to the provider later than a second after the answer to its ack or its cancellation;
// - nobody gets a push whose ack came before the send.
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Worker } from '../../src/delivery/worker.ts'
import { makeMetrics } from '../../src/observability/metrics.ts'
import type { Batch, Provider, Settle } from '../../src/providers/provider.ts'
import { FULL_DUTY } from '../../src/queue/lane.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { RedisQueue } from '../../src/queue/redis/redis-queue.ts'
import { storeAck } from '../../src/realtime/acks.ts'
import { pause } from '../../src/timing/pause.ts'
import { batchOf } from '../queue/make-batch.ts'
import { makeSend } from '../queue/make-send.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { fc } from '../support/fast-check.ts'
import { KillableRedis } from '../support/killable-redis.ts'
import { makeTestLogger } from '../support/run-log.ts'

const logger = makeTestLogger()
const LEASE_MS = 1500
const HEARTBEAT_MS = 500
/** The promise about cancellations and acks. */
const EFFECT_MS = 1000
const RUNS = 6
const STEPS = 40
const NEVER = new AbortController().signal

type Step =
  /** Stores a send to `users` users, with `delayMs` before its batch can be claimed. */
  | { kind: 'send'; users: number; delayMs: number }
  /** `which` selects a send, also one that is not stored yet; `user` one of its users. */
  | { kind: 'ack'; which: number; user: number }
  | { kind: 'cancelUser'; which: number; user: number }
  | { kind: 'cancelSend'; which: number }
  /** A worker dies with all that it holds, and another one starts. */
  | { kind: 'crash' }
  | { kind: 'wait'; ms: number }

const which = fc.nat({ max: 1000 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('send'),
      users: fc.integer({ min: 1, max: 5 }),
      delayMs: fc.constantFrom(0, 0, 200, 700),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('ack'), which, user: fc.nat({ max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancelUser'), which, user: fc.nat({ max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancelSend'), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash') }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait'), ms: fc.integer({ min: 1, max: 150 }) }) },
)

/** A handover of a target: its token, and when, by `performance.now()`. */
interface Handover {
  token: string
  atMs: number
}

/**
 * A provider that takes up to 1.2 s before it hands a target over, and then asks, as all providers do, whether the
 * target is withdrawn and the claim confirmed. Every third handover is answered by a request to retry.
 */
class SlowProvider implements Provider {
  readonly name = 'fcm'
  readonly #handovers: Handover[]
  readonly #life: { isOver: boolean }
  #count = 0

  constructor(handovers: Handover[], life: { isOver: boolean }) {
    this.#handovers = handovers
    this.#life = life
  }

  async send(batch: Batch, settle: Settle, signal: AbortSignal): Promise<void> {
    await Promise.all(batch.targets.map((token, index) => this.#sendOne(batch, token, index, settle, signal)))
  }

  async #sendOne(batch: Batch, token: string, index: number, settle: Settle, signal: AbortSignal): Promise<void> {
    await pause((this.#count++ * 173) % 1200, signal)
    const { confirmation } = batch
    // The signal of small batches does not abort when one of them is lost or cancelled: its targets are withdrawn.
    const isOver = () => signal.aborted || this.#life.isOver || batch.isWithdrawn?.(index)
    while (confirmation && performance.now() > confirmation.untilMs && !isOver()) await confirmation.renewed()
    if (isOver()) return
    this.#handovers.push({ token, atMs: performance.now() })
    if (this.#count % 3 === 0) settle(index, { kind: 'retry', reason: 'UNAVAILABLE', afterMs: 100 })
    else settle(index, { kind: 'sent', messageId: 'm' })
  }

  async close(): Promise<void> {}
}

/** One target: whose it is, and when its push became unnecessary. */
interface Expected {
  token: string
  isStored: boolean
  /** When its ack or cancellation was answered, by `performance.now()`; undefined: the push is needed. */
  stoppedAtMs: number | undefined
  stoppedBeforeStore: boolean
}

interface ModelSend {
  uid: string
  targets: Expected[]
}

/** A real queue with real workers, and what has to come out of it. */
class AckModel {
  readonly #queue: Queue
  readonly #handovers: Handover[] = []
  readonly #workers: { worker: Worker; life: { isOver: boolean } }[] = []
  /** The last one is not stored yet, so that acks can overtake it. */
  readonly #sends: ModelSend[] = [makeModelSend()]

  constructor(queue: Queue) {
    this.#queue = queue
    this.#startWorker()
    this.#startWorker()
  }

  async run(each: Step): Promise<void> {
    switch (each.kind) {
      case 'send':
        return this.#send(each.users, each.delayMs)
      case 'ack':
        return this.#stop(each, ({ uid }, user) =>
          storeAck(this.#queue, { user, uids: [uid], deviceId: '', kind: 'seen' }),
        )
      case 'cancelUser':
        return this.#stop(each, async ({ uid }, user) => void (await this.#queue.exclude(uid, { user, deviceId: '' })))
      case 'cancelSend': {
        const send = this.#pick(each.which)
        await this.#queue.cancel(send.uid)
        return this.#noteStop(send, send.targets)
      }
      case 'crash':
        return this.#crash()
      case 'wait':
        await pause(each.ms, NEVER)
    }
  }

  /** Waits until the queue is empty, and checks what was handed over. */
  async check(): Promise<void> {
    const stored = this.#sends.slice(0, -1)
    await expect
      .poll(async () => (await Promise.all(stored.map(({ uid }) => this.#queue.loadSend(uid)))).filter(Boolean), {
        timeout: 30_000,
      })
      .toEqual([])
    await this.stop()
    const late: Handover[] = []
    const missing: string[] = []
    for (const target of stored.flatMap(({ targets }) => targets).filter(({ isStored }) => isStored)) {
      const { token, stoppedAtMs, stoppedBeforeStore } = target
      const all = this.#handovers.filter((handover) => handover.token === token)
      if (stoppedAtMs === undefined && all.length === 0) missing.push(token)
      late.push(...all.filter(({ atMs }) => stoppedBeforeStore || atMs > (stoppedAtMs ?? atMs) + EFFECT_MS))
    }
    expect({ missing, late }).toEqual({ missing: [], late: [] })
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.splice(0).map(({ worker }) => worker.stop(0)))
  }

  async #send(users: number, delayMs: number): Promise<void> {
    const send = this.#pick(this.#sends.length - 1)
    this.#sends.push(makeModelSend())
    const targets = send.targets.slice(0, users)
    for (const target of targets) {
      target.isStored = true
      target.stoppedBeforeStore = target.stoppedAtMs !== undefined
    }
    const batch = { ...batchOf('small', ...targets.map(({ token }) => token)), delayMs }
    expect(await this.#queue.enqueue(makeSend({ uid: send.uid }), { batches: [batch], cursor: undefined })).toBe(
      'accepted',
    )
  }

  async #stop(
    { which: index, user }: { which: number; user: number },
    stop: (send: ModelSend, user: string) => Promise<void>,
  ): Promise<void> {
    const send = this.#pick(index)
    const target = send.targets[user]
    if (!target) throw new Error('a send has five targets')
    await stop(send, `user-${target.token}`)
    this.#noteStop(send, [target])
  }

  #noteStop(_: ModelSend, targets: readonly Expected[]): void {
    for (const target of targets) target.stoppedAtMs ??= performance.now()
  }

  #crash(): void {
    const dead = this.#workers[0]
    if (!dead) return
    dead.life.isOver = true
    this.#workers.push(...this.#workers.splice(0, 1))
    this.#startWorker()
  }

  #startWorker(): void {
    const life = { isOver: false }
    const worker = new Worker({
      duty: FULL_DUTY,
      queue: makeMortal(this.#queue, life),
      loadSend: (uid) => this.#queue.loadSend(uid),
      ranges: undefined,
      providers: new Map([['fcm', new SlowProvider(this.#handovers, life)]]),
      batchSizes: new Map(),
      removeGone: async () => 0,
      removalBreaker: undefined,
      retryPolicy: { scale: 0.01, random: Math.random },
      metrics: makeMetrics(),
      logger,
      now: Date.now,
      maxBatchTargets: 500,
      concurrency: 16,
      leaseMs: LEASE_MS,
      heartbeatMs: HEARTBEAT_MS,
    })
    worker.start()
    this.#workers.unshift({ worker, life })
  }

  #pick(index: number): ModelSend {
    const send = this.#sends[index % this.#sends.length]
    if (!send) throw new Error('there is always a send')
    return send
  }
}

function makeModelSend(): ModelSend {
  const uid = randomUUID()
  const targets = Array.from({ length: 5 }, (_, at) => ({
    token: `${uid}-${at}`,
    isStored: false,
    stoppedAtMs: undefined,
    stoppedBeforeStore: false,
  }))
  return { uid, targets }
}

/** The queue of a worker that may die: then each call fails, and none reaches the store. */
function makeMortal(queue: Queue, life: { isOver: boolean }): Queue {
  return new Proxy(queue, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return async (...args: unknown[]) => {
        if (life.isOver && name !== 'waitForWork') throw new Error('the worker is dead')
        const result: unknown = await member.apply(target, args)
        return result
      }
    },
  })
}

async function checkModel(open: () => Promise<Queue>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: STEPS, size: 'max' }), async (steps) => {
      const model = new AckModel(await open())
      try {
        for (const each of steps) await model.run(each)
        await model.check()
      } finally {
        await model.stop()
      }
    }),
    // To shrink a failure would take minutes, and the timing is different each time.
    { numRuns: RUNS, endOnFailure: true },
  )
}

let database: TestDatabase
let redis: KillableRedis
const queues: Queue[] = []
beforeAll(async () => {
  ;[database, redis] = await Promise.all([createTestDatabase(), KillableRedis.start()])
})
afterAll(async () => {
  await Promise.all(queues.map((queue) => queue.close()))
  await redis.stop()
  await database.drop()
})

test('acks on PostgreSQL', async () => {
  const options = { leaseMs: LEASE_MS, maxJobs: 100_000, restartGraceMs: 0 }
  const queue = new PostgresQueue({ sql: database.queueSql, logger, ...options })
  queues.push(queue)
  await checkModel(async () => queue)
}, 120_000)

test('acks on Redis', async () => {
  const connect = () => new Redis({ port: redis.port, host: '127.0.0.1' })
  await checkModel(async () => {
    const prefix = randomUUID()
    const options = { prefix, logger, leaseMs: LEASE_MS, maxJobs: 100_000 }
    const queue = new RedisQueue({ client: connect(), subscriber: connect(), ...options })
    queues.push(queue)
    return queue
  })
}, 120_000)
