import { chooseQueue } from '../config/check.ts'
import type { ProviderName } from '../config/provider-names.ts'
import { RemovalBreaker } from '../delivery/removal-breaker.ts'
import { Worker } from '../delivery/worker.ts'
import type { DeviceStore } from '../devices/device-store.ts'
import type { RateLimiter } from '../limits/rate-limiter.ts'
import type { Logger } from '../observability/log.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { Provider } from '../providers/provider.ts'
import { FanOut } from '../push/fan-out.ts'
import { LostParts } from '../push/lost-parts.ts'
import { PageTaker } from '../push/page-taker.ts'
import type { PageReader } from '../push/pages.ts'
import type { Duty, Queue } from '../queue/queue.ts'
import type { OnStop } from '../shutdown-phases.ts'
import type { Plan } from './plan.ts'

/** The longest interval between two searches for abandoned ranges; with short leases it is half a lease. */
const LOST_INTERVAL_MS = 2000

/** The parts that workers need. */
export interface WorkerParts {
  plan: Plan
  duty: Duty
  metrics: Metrics
  queue: Queue
  pages: PageReader
  rateLimiter: RateLimiter
  devices: DeviceStore | undefined
  providers: ReadonlyMap<ProviderName, Provider>
  batchSizes: ReadonlyMap<ProviderName, number>
}

/** Starts fan-out and delivery in this process. @returns a function that tells whether they reach their queue */
export function startWorkers(parts: WorkerParts, onStop: OnStop): () => boolean {
  const { duty, queue, pages, rateLimiter, devices, providers, metrics } = parts
  const { config, logger } = parts.plan
  const { takenPages } = queue
  const taking = devices && takenPages && duty.lanes.includes('broadcast') ? { takenPages, pages, logger } : undefined
  const worker = new Worker({
    duty,
    queue,
    providers,
    removeGone: async (...args) => devices?.removeGone(...args) ?? 0,
    removalBreaker: config.worker.removal_breaker ? makeRemovalBreaker(metrics, logger) : undefined,
    rateLimiter,
    retryPolicy: { scale: config.worker.retry_scale, random: Math.random },
    metrics,
    logger,
    now: Date.now,
    maxBatchTargets: Math.max(...parts.batchSizes.values(), 1),
    concurrency: (config.push_notifications.queue[chooseQueue(config)] ?? { consumer_concurrency: 64 })
      .consumer_concurrency,
    heartbeatMs: config.worker.heartbeat,
    pages: taking && new PageTaker(taking),
  })
  const fanOut = new FanOut({ duty, queue, pages, logger, heartbeatMs: config.worker.heartbeat })
  worker.start()
  fanOut.start()
  if (taking) {
    const lost = new LostParts({ ...taking, intervalMs: Math.min(LOST_INTERVAL_MS, config.worker.lease / 2) })
    lost.start()
    onStop.drain('lost pages', () => lost.stop())
  }
  onStop.drain('worker', (graceMs) => worker.stop(graceMs))
  onStop.drain('fan-out', () => fanOut.stop())
  return () => worker.isReady
}

function makeRemovalBreaker({ removalStopped }: Metrics, logger: Logger): RemovalBreaker {
  return new RemovalBreaker({
    onChange: (provider, isOpen) => {
      removalStopped.set({ provider }, isOpen ? 1 : 0)
      if (!isOpen) logger.warn({ provider }, 'delivery: devices with dead tokens are removed again')
      else {
        logger.error(
          { provider },
          'delivery: most tokens are called dead, so no devices are removed; check the credentials, or if it is right ' +
            'set worker.removal_breaker to false',
        )
      }
    },
  })
}
