import { chooseQueue } from '../config/check.ts'
import type { ProviderName } from '../config/provider-names.ts'
import { RangeReader } from '../delivery/range-reader.ts'
import { RemovalBreaker } from '../delivery/removal-breaker.ts'
import { makeSendCache } from '../delivery/send-cache.ts'
import { Worker, type WorkerDeps } from '../delivery/worker.ts'
import type { DeviceStore } from '../devices/device-store.ts'
import type { RateLimiter } from '../limits/rate-limiter.ts'
import type { Logger } from '../observability/log.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { CredentialStates } from '../observability/provider-health.ts'
import { makeLoadMeter } from '../processes/load-meter.ts'
import type { OwnWorkers } from '../processes/worker-scaling.ts'
import type { Provider } from '../providers/provider.ts'
import { FanOut } from '../push/fan-out.ts'
import type { PageReader } from '../push/page-reader.ts'
import { RANGE_DEVICES } from '../queue/batch.ts'
import type { Duty } from '../queue/lane.ts'
import type { Queue } from '../queue/queue.ts'
import type { Plan } from './plan.ts'
import { makePageRecorder } from './record-page.ts'
import type { RunningAnalytics } from './running-analytics.ts'
import { countInMetrics } from './send-counts.ts'

/** The parts that fan-out and delivery need. */
export interface WorkerParts {
  plan: Plan
  duty: Duty
  metrics: Metrics
  queue: Queue
  pages: PageReader
  rateLimiter: RateLimiter
  devices: DeviceStore | undefined
  providers: ReadonlyMap<ProviderName, Provider>
  credentials: CredentialStates
  batchSizes: ReadonlyMap<ProviderName, number>
  /** Records the events and attempts of each target; undefined if analytics has no store. */
  recorder: RunningAnalytics['recorder']
  /** Called for each second in which this process has a load. */
  onLoad(): void
}

/** Makes fan-out and delivery of this process. They can be started and stopped several times. */
export function makeWorkers(parts: WorkerParts): OwnWorkers {
  const { duty, queue, pages, rateLimiter, devices, providers, metrics } = parts
  const { config, logger } = parts.plan
  const loadSend = makeSendCache((uid) => queue.loadSend(uid), Date.now)
  const ranges = devices && new RangeReader({ devices, providers: new Set(providers.keys()), loadSend })
  const workerDeps: WorkerDeps = {
    duty,
    queue,
    loadSend,
    ranges,
    providers,
    batchSizes: parts.batchSizes,
    onCredential: (provider, state) => parts.credentials.set(provider, state),
    removeGone: async (...args) => devices?.removeGone(...args) ?? 0,
    removalBreaker: config.worker.removal_breaker ? makeRemovalBreaker(metrics, logger) : undefined,
    rateLimiter,
    recorder: parts.recorder,
    retryPolicy: { scale: config.worker.retry_scale, random: Math.random },
    metrics,
    logger,
    now: Date.now,
    maxBatchTargets: Math.max(...parts.batchSizes.values(), RANGE_DEVICES),
    concurrency: (config.push_notifications.queue[chooseQueue(config)] ?? { consumer_concurrency: 64 })
      .consumer_concurrency,
    leaseMs: config.worker.lease,
    heartbeatMs: config.worker.heartbeat,
    onClaim: makeLoadMeter({ onLoad: parts.onLoad, now: () => performance.now() }),
  }
  const onStored = makePageRecorder(countInMetrics(metrics), parts.recorder)
  let running: { worker: Worker; fanOut: FanOut } | undefined
  return {
    start: () => {
      const worker = new Worker(workerDeps)
      const fanOut = new FanOut({ duty, queue, pages, onStored, logger, heartbeatMs: config.worker.heartbeat })
      running = { worker, fanOut }
      worker.start()
      fanOut.start()
    },
    stop: async (graceMs) => {
      await Promise.all([running?.worker.stop(graceMs), running?.fanOut.stop()])
    },
    isReady: () => running?.worker.isReady ?? false,
  }
}

function makeRemovalBreaker({ removalStopped }: Metrics, logger: Logger): RemovalBreaker {
  return new RemovalBreaker({
    onChange: (provider, isOpen) => {
      removalStopped.set({ provider }, isOpen ? 1 : 0)
      if (!isOpen) logger.warn({ provider }, 'delivery: removal of devices resumed')
      else {
        logger.error(
          { provider },
          'delivery: removal of devices stopped, because the provider reports most tokens as dead; check the ' +
            'credentials, or if the tokens are dead set worker.removal_breaker to false',
        )
      }
    },
  })
}
