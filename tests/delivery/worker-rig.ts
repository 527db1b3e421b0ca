// A queue on PostgreSQL and workers with a scripted FCM provider.
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import type { AttemptRecorder, EventRecorder } from '../../src/analytics/analytics.ts'
import type { GoneToken } from '../../src/delivery/gone-tokens.ts'
import { RemovalBreaker } from '../../src/delivery/removal-breaker.ts'
import { Worker } from '../../src/delivery/worker.ts'
import { makeMetrics } from '../../src/observability/metrics.ts'
import type { Outcome } from '../../src/providers/provider.ts'
import { type Duty, FULL_DUTY, type Lane } from '../../src/queue/lane.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import type { Queue } from '../../src/queue/queue.ts'
import type { Send } from '../../src/queue/send.ts'
import { batchOf } from '../queue/make-batch.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { makeTestLogger } from '../support/run-log.ts'
import type { ScriptedProvider } from './scripted-provider.ts'

export const SENT: Outcome = { kind: 'sent', messageId: 'm' }

const logger = makeTestLogger()

interface WorkerOptions {
  /** The default is the queue of the rig. */
  queue?: Queue
  retryScale?: number
  maxBatchTargets?: number
  concurrency?: number
  duty?: Duty
  now?: () => number
  recorder?: EventRecorder & AttemptRecorder
}

/** The parts of a test. */
interface Parts {
  database: TestDatabase
  queue: PostgresQueue
  workers: Worker[]
  /** The tokens of the devices that workers removed. */
  gone: GoneToken[]
}

/** Opens a queue for each test. */
export class WorkerRig {
  readonly #leaseMs: number
  #parts: Parts | undefined

  /** @param leaseMs long unless a test is about its end: on a busy machine, a heartbeat may be late */
  constructor({ leaseMs = 15_000 } = {}) {
    this.#leaseMs = leaseMs
    beforeEach(async () => {
      const database = await createTestDatabase()
      const queue = new PostgresQueue({ sql: database.queueSql, logger, leaseMs, maxJobs: 1000 })
      this.#parts = { database, queue, workers: [], gone: [] }
    })
    afterEach(async () => {
      const { database, queue, workers } = this.#get()
      await Promise.all(workers.map((worker) => worker.stop(0)))
      await queue.close()
      await database.drop()
    })
  }

  get database(): TestDatabase {
    return this.#get().database
  }

  get queue(): PostgresQueue {
    return this.#get().queue
  }

  get gone(): GoneToken[] {
    return this.#get().gone
  }

  startWorker(provider: ScriptedProvider, options: WorkerOptions = {}): Worker {
    const { queue, workers, gone } = this.#get()
    const worker = new Worker({
      duty: options.duty ?? FULL_DUTY,
      queue: options.queue ?? queue,
      loadSend: (uid) => queue.loadSend(uid),
      ranges: undefined,
      providers: new Map([['fcm', provider]]),
      batchSizes: new Map(),
      removeGone: async (_, tokens) => gone.push(...tokens),
      removalBreaker: new RemovalBreaker({ onChange: () => undefined }),
      recorder: options.recorder,
      retryPolicy: { scale: options.retryScale ?? 0.01, random: Math.random },
      metrics: makeMetrics(),
      logger,
      now: options.now ?? Date.now,
      maxBatchTargets: options.maxBatchTargets ?? 500,
      concurrency: options.concurrency ?? 4,
      leaseMs: this.#leaseMs,
      heartbeatMs: 100,
    })
    workers.push(worker)
    worker.start()
    return worker
  }

  /** Enqueues a send with one batch; resolves to its uid. */
  async enqueue(values: string[], lane: Lane = 'small', expireAtMs?: number, isReliable = false): Promise<string> {
    const send = { ...sendOf(randomUUID(), values, isReliable), expireAtMs }
    await this.queue.enqueue(send, { batches: [batchOf(lane, ...values)], cursor: undefined })
    return send.uid
  }

  /** Resolves when a send has ended. */
  waitForEnd(uid: string): Promise<void> {
    return vi.waitFor(async () => expect(await this.queue.loadSend(uid)).toBeUndefined(), {
      timeout: 20_000,
      interval: 20,
    })
  }

  #get(): Parts {
    if (!this.#parts) throw new Error('the rig is open within a test only')
    return this.#parts
  }
}

/** Resolves when a signal aborts, or at once if it has aborted. */
export async function waitForAbort(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}

/** A send of raw FCM tokens. */
export function sendOf(uid: string, values: string[], isReliable = false): Send {
  return {
    uid,
    requestHash: Buffer.alloc(32),
    lane: 'small',
    sendAtMs: undefined,
    expireAtMs: undefined,
    recipient: { kind: 'native', provider: 'fcm', targetKind: 'token', values },
    content: {
      notifications: new Map([['fcm', { json: Buffer.from('{}'), headers: new Map() }]]),
      analyticsUid: uid,
      isReliable,
    },
  }
}
