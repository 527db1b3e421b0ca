import type { ProviderName } from '../../../src/config/provider-names.ts'
import type { Sql } from '../../../src/database/pool.ts'
import { RangeReader } from '../../../src/delivery/range-reader.ts'
import { makeSendCache } from '../../../src/delivery/send-cache.ts'
import { Worker } from '../../../src/delivery/worker.ts'
import { DeviceStore } from '../../../src/devices/device-store.ts'
import { makeMetrics } from '../../../src/observability/metrics.ts'
import type { Batch, Provider, Settle } from '../../../src/providers/provider.ts'
import { FanOut } from '../../../src/push/fan-out.ts'
import { PageReader } from '../../../src/push/page-reader.ts'
import { FULL_DUTY } from '../../../src/queue/lane.ts'
import type { Queue } from '../../../src/queue/queue.ts'
import { makeTestLogger } from '../../support/run-log.ts'

/** The pushes of each send: the tokens in the order of their delivery. */
export type Pushes = Map<string, string[]>

const BATCH_SIZES: ReadonlyMap<ProviderName, number> = new Map([
  ['fcm', 500],
  ['hms', 1000],
])
const HEARTBEAT_MS = 300

/** Starts the fan-out and the delivery of a process, with FCM and HMS that accept every push. */
export function startDelivery(queue: Queue, sql: Sql): { pushes: Pushes; stop(): Promise<void> } {
  const logger = makeTestLogger()
  const devices = new DeviceStore({ sql, now: Date.now, replicas: undefined })
  const pushes: Pushes = new Map()
  const loadSend = makeSendCache((uid) => queue.loadSend(uid), Date.now)
  const providers = new Map([...BATCH_SIZES.keys()].map((name) => [name, recordPushes(name, pushes)]))
  const worker = new Worker({
    duty: FULL_DUTY,
    queue,
    loadSend,
    ranges: new RangeReader({ devices, providers: new Set(providers.keys()), loadSend }),
    providers,
    batchSizes: BATCH_SIZES,
    removeGone: async () => 0,
    removalBreaker: undefined,
    retryPolicy: { scale: 0.01, random: Math.random },
    metrics: makeMetrics(),
    logger,
    now: Date.now,
    maxBatchTargets: Math.max(...BATCH_SIZES.values()),
    concurrency: 16,
    leaseMs: 3 * HEARTBEAT_MS,
    heartbeatMs: HEARTBEAT_MS,
  })
  const pages = new PageReader({ devices, batchSizes: BATCH_SIZES, now: Date.now })
  const fanOut = new FanOut({ duty: FULL_DUTY, queue, pages, logger, heartbeatMs: HEARTBEAT_MS })
  worker.start()
  fanOut.start()
  return {
    pushes,
    stop: async () => {
      await Promise.all([worker.stop(0), fanOut.stop()])
    },
  }
}

function recordPushes(name: ProviderName, pushes: Pushes): Provider {
  return {
    name,
    async send({ uid, targets }: Batch, settle: Settle): Promise<void> {
      pushes.set(uid, [...(pushes.get(uid) ?? []), ...targets])
      for (const index of targets.keys()) settle(index, { kind: 'sent', messageId: 'm' })
    },
    async close(): Promise<void> {},
  }
}
