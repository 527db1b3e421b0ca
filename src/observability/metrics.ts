// The metrics. Where Centrifugo PRO has such a metric, it has the same name and labels; the other names begin with
// centripush_.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** The values for the gauges of the queue. They are read from the store at each scrape. */
export interface QueueGauges {
  waiting: ReadonlyMap<string, number>
  inFlight: ReadonlyMap<string, number>
  scheduled: number
  oldestMs: number
  deadLetters: number
  pauses: readonly { provider: string }[]
}

/** How often the delay of the event loop is measured, in ms. The default of 10 ms costs 1 % of a core. */
const EVENT_LOOP_PRECISION_MS = 100

/** The metrics of one process. */
export type Metrics = ReturnType<typeof makeMetrics>

/** Makes the metrics and their registry, with the default metrics of the process. */
export function makeMetrics() {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION_MS })
  const registers = [registry]
  return {
    registry,
    notifications: new Counter({
      name: 'centrifugo_push_notification_count',
      help: 'Push notifications by the answer of their provider.',
      labelNames: ['provider', 'recipient_type', 'platform', 'success', 'err_code'],
      registers,
    }),
    jobDuration: new Histogram({
      name: 'centrifugo_push_job_duration_seconds',
      help: 'Time from the claim of a batch to its acknowledgement.',
      labelNames: ['provider', 'recipient_type'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    scheduled: new Counter({
      name: 'centrifugo_push_scheduled_request_count',
      help: 'Sends accepted for a later time.',
      registers,
    }),
    skipped: new Counter({
      name: 'centripush_push_skipped_count',
      help: 'Skipped devices: no_notification for their provider in the request, or no_timezone for a time limit.',
      labelNames: ['provider', 'reason'],
      registers,
    }),
    unsent: new Counter({
      name: 'centripush_push_unsent_count',
      help: 'Push notifications not sent: cancelled, expired, rate_limited, no_timezone, or given_up after retries.',
      labelNames: ['provider', 'reason'],
      registers,
    }),
    refusedCalls: new Counter({
      name: 'centripush_api_refused_count',
      help: 'Calls of push methods refused with error 100 and Retry-After, because too many were in progress.',
      labelNames: ['method'],
      registers,
    }),
    clientCalls: new Counter({
      name: 'centripush_client_call_count',
      help: 'Calls of clients: by the RPC proxy of the node (rpc) or over HTTP. The code 0 is success.',
      labelNames: ['transport', 'method', 'code'],
      registers,
    }),
    removalStopped: new Gauge({
      name: 'centripush_devices_removal_stopped',
      help: '1 while devices are not removed because their provider calls most tokens dead.',
      labelNames: ['provider'],
      registers,
    }),
    removedDevices: new Counter({
      name: 'centripush_devices_removed_count',
      help: 'Devices removed because their provider called the token dead.',
      labelNames: ['provider'],
      registers,
    }),
  }
}

/** Adds the gauge of the providers that are down. @param read lists their origins */
export function addOutageGauge(registry: Registry, read: () => readonly { provider: string; origin: string }[]): void {
  new Gauge({
    name: 'centripush_provider_down',
    help: '1 for an origin of a provider that is down: nothing but failures come back, and pushes wait.',
    labelNames: ['provider', 'origin'],
    registers: [registry],
    // Each process has its own view. One that is down everywhere must not add up.
    aggregator: 'max',
    collect() {
      this.reset()
      for (const labels of read()) this.set({ ...labels }, 1)
    },
  })
}

/**
 * Adds the gauges of the queue to a registry. If `read` resolves to undefined, a scrape succeeds without their values.
 */
export function addQueueGauges(registry: Registry, queue: string, read: () => Promise<QueueGauges | undefined>): void {
  const registers = [registry]
  const make = (name: string, help: string, labelNames: string[]) => new Gauge({ name, help, labelNames, registers })
  const inFlight = make('centrifugo_push_consuming_inflight_jobs', 'Batches being sent.', ['provider', 'queue'])
  const scheduled = make('centripush_queue_scheduled', 'Sends scheduled for a later time.', ['queue'])
  const oldest = make('centripush_queue_oldest_seconds', 'Age of the oldest waiting batch.', ['queue'])
  const deadLetters = make('centripush_queue_dead_letters', 'Dead letters that can be retried.', ['queue'])
  const paused = make('centripush_provider_paused', '1 for a paused provider.', ['provider', 'queue'])
  new Gauge({
    name: 'centrifugo_push_queue_consuming_lag',
    help: 'Batches waiting to be sent.',
    labelNames: ['provider', 'queue'],
    registers,
    /** The collector of this gauge sets the values of all gauges, so that a scrape reads the store once. */
    async collect() {
      const gauges = await read()
      for (const gauge of [this, inFlight, scheduled, oldest, deadLetters, paused]) gauge.reset()
      if (!gauges) return
      for (const [provider, count] of gauges.waiting) this.set({ provider, queue }, count)
      for (const [provider, count] of gauges.inFlight) inFlight.set({ provider, queue }, count)
      for (const { provider } of gauges.pauses) paused.set({ provider, queue }, 1)
      scheduled.set({ queue }, gauges.scheduled)
      oldest.set({ queue }, gauges.oldestMs / 1000)
      deadLetters.set({ queue }, gauges.deadLetters)
    },
  })
}
