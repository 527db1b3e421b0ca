// Metrics with Centrifugo PRO's names and labels where it has them; our own are under centripush_.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** What the gauges of the queue show, asked for at each scrape. */
export interface QueueGauges {
  waiting: ReadonlyMap<string, number>
  inFlight: ReadonlyMap<string, number>
  scheduled: number
  oldestMs: number
  deadLetters: number
  pauses: readonly { provider: string }[]
}

export type Metrics = ReturnType<typeof makeMetrics>

export function makeMetrics() {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  return {
    registry,
    notifications: new Counter({
      name: 'centrifugo_push_notification_count',
      help: 'Push notifications by what their provider answered.',
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
      help: 'Devices passed over: no_notification in the request for their provider, or no_timezone for its hours.',
      labelNames: ['provider', 'reason'],
      registers,
    }),
    unsent: new Counter({
      name: 'centripush_push_unsent_count',
      help: 'Push notifications not sent: cancelled, expired, rate_limited, no_timezone, or given_up after retries.',
      labelNames: ['provider', 'reason'],
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

/** Adds the gauges of the queue; `read` that fails leaves them out of the scrape, which must not fail with it. */
export function addQueueGauges(registry: Registry, queue: string, read: () => Promise<QueueGauges | undefined>): void {
  const registers = [registry]
  const make = (name: string, help: string, labelNames: string[]) => new Gauge({ name, help, labelNames, registers })
  const inFlight = make('centrifugo_push_consuming_inflight_jobs', 'Batches being sent.', ['provider', 'queue'])
  const scheduled = make('centripush_queue_scheduled', 'Sends whose time has not come.', ['queue'])
  const oldest = make('centripush_queue_oldest_seconds', 'How long the oldest waiting batch has waited.', ['queue'])
  const deadLetters = make('centripush_queue_dead_letters', 'Batches given up that can be retried.', ['queue'])
  const paused = make('centripush_provider_paused', '1 for a provider that nothing is sent to.', ['provider', 'queue'])
  new Gauge({
    name: 'centrifugo_push_queue_consuming_lag',
    help: 'Batches that wait to be sent.',
    labelNames: ['provider', 'queue'],
    registers,
    /** Its store is asked once for all of them. */
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
