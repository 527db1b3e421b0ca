// From device rows to a provider that answers at once: fan-out, claims, outcomes and acknowledgements.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { RangeReader } from '../../src/delivery/range-reader.ts'
import { makeSendCache } from '../../src/delivery/send-cache.ts'
import { Worker } from '../../src/delivery/worker.ts'
import type { DeviceStore } from '../../src/devices/device-store.ts'
import type { RateLimiter } from '../../src/limits/rate-limiter.ts'
import type { Logger } from '../../src/observability/log.ts'
import { makeMetrics } from '../../src/observability/metrics.ts'
import type { Batch, Provider, Settle } from '../../src/providers/provider.ts'
import { FanOut } from '../../src/push/fan-out.ts'
import { PageReader } from '../../src/push/page-reader.ts'
import { FULL_DUTY } from '../../src/queue/lane.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { newLines } from '../../tests/queue/make-batch.ts'
import { makeSend } from '../../tests/queue/make-send.ts'
import { TOPICS } from '../devices/device-data.ts'
import { summarize, type Times } from '../harness/measure.ts'

const BATCH_TARGETS = 500
const POLL_MS = 2
const MEMORY_INTERVAL_MS = 100

/** A provider that accepts every push at once and reports the arrival of a token. */
class InstantProvider implements Provider {
  readonly name = 'fcm'
  readonly arrivals = new Map<string, (atMs: number) => void>()
  count = 0

  async send({ targets }: Batch, settle: Settle): Promise<void> {
    for (const [index, target] of targets.entries()) {
      this.arrivals.get(target)?.(performance.now())
      settle(index, { kind: 'sent', messageId: target })
    }
    this.count += targets.length
  }

  async close(): Promise<void> {}
}

/** The figures of a broadcast. */
export interface Way {
  targetsPerSecond: number
  /** The most resident bytes of this process in the first and in the last quarter of the broadcast. */
  memory: { first: number; last: number }
  /** From the answer of an enqueue to the provider, during the broadcast. */
  single: Times
}

/** Sends to the topic of all devices, with a single send every `singleEveryMs`. */
export async function measureWay(
  queue: Queue,
  store: DeviceStore,
  singleEveryMs: number,
  logger: Logger,
): Promise<Way> {
  const provider = new InstantProvider()
  const parts = startParts(queue, store, provider, logger)
  const plain = makeSend()
  const send = makeSend({
    content: { ...plain.content, isReliable: false },
    recipient: {
      kind: 'filter',
      filter: { ids: [], users: [], topics: [TOPICS.all], providers: ['fcm'], platforms: [] },
    },
  })
  const samples: number[] = []
  const sampler = setInterval(() => samples.push(process.memoryUsage.rss()), MEMORY_INTERVAL_MS)
  const start = performance.now()
  await queue.enqueue(send)
  const singles = sendSingles(queue, provider, singleEveryMs, () => queue.loadSend(send.uid))
  const durationsMs = await singles
  const elapsedMs = performance.now() - start
  clearInterval(sampler)
  await parts.stop()
  const quarter = Math.ceil(samples.length / 4)
  return {
    targetsPerSecond: (provider.count * 1000) / elapsedMs,
    memory: { first: Math.max(...samples.slice(0, quarter)), last: Math.max(...samples.slice(-quarter)) },
    single: summarize(durationsMs),
  }
}

/** Starts fan-out and a worker in this process, with `provider` as FCM. @param rateLimiter for sends with limits */
export function startParts(
  queue: Queue,
  store: DeviceStore,
  provider: Provider,
  logger: Logger,
  rateLimiter?: RateLimiter,
) {
  const batchSizes = new Map([['fcm', BATCH_TARGETS] as const])
  const pages = new PageReader({
    devices: store,
    batchSizes,

    now: Date.now,
  })
  const loadSend = makeSendCache((uid) => queue.loadSend(uid), Date.now)
  const ranges = new RangeReader({
    devices: store,
    providers: new Set(batchSizes.keys()),
    loadSend,
  })
  const worker = new Worker({
    duty: FULL_DUTY,
    queue,
    loadSend,
    ranges,
    providers: new Map([['fcm', provider]]),
    batchSizes,
    removeGone: async () => 0,
    removalBreaker: undefined,
    rateLimiter,
    retryPolicy: { scale: 1, random: Math.random },
    metrics: makeMetrics(),
    logger,
    now: Date.now,
    maxBatchTargets: BATCH_TARGETS,
    concurrency: 16,
    leaseMs: 15_000,
    heartbeatMs: 5000,
  })
  const fanOut = new FanOut({ duty: FULL_DUTY, queue, pages, logger, heartbeatMs: 5000 })
  worker.start()
  fanOut.start()
  return {
    stop: async () => {
      await fanOut.stop()
      await worker.stop(1000)
    },
  }
}

/** Sends single pushes until the broadcast has ended. Resolves to their durations in ms. */
async function sendSingles(
  queue: Queue,
  provider: InstantProvider,
  everyMs: number,
  loadBroadcast: () => Promise<unknown>,
): Promise<number[]> {
  const durationsMs: number[] = []
  while ((await loadBroadcast()) !== undefined) {
    if (everyMs === 0) {
      await delay(POLL_MS * 10)
      continue
    }
    const token = randomUUID()
    const arrived = new Promise<number>((resolve) => provider.arrivals.set(token, resolve))
    const batch = { provider: 'fcm', lane: 'small', targetKind: 'token', ...newLines([`\t${token}\t\t`]) } as const
    await queue.enqueue(makeSend(), { batches: [batch], cursor: undefined })
    const answeredMs = performance.now()
    durationsMs.push(Math.max(0, (await arrived) - answeredMs))
    provider.arrivals.delete(token)
    await delay(everyMs)
  }
  return durationsMs
}
