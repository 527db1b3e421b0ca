import { Gauge, type Registry } from 'prom-client'
import { PROVIDER_NAMES } from '../config/provider-names.ts'
import { withDeadline } from '../timing/deadline.ts'

/** The values for the gauges of the queue. They are read from the store at each scrape. */
export interface QueueGauges {
  waiting: ReadonlyMap<string, number>
  inFlight: ReadonlyMap<string, number>
  scheduled: number
  oldestMs: number
  deadLetters: number
  pauses: readonly { provider: string }[]
}

/**
 * How long a scrape waits for the values, in ms. Prometheus gives up a scrape after 10 s by default, and then it has
 * none of the other metrics either.
 */
const READ_TIMEOUT_MS = 3000

/**
 * Adds the gauges of the queue to a registry. While `read` fails, hangs or resolves to undefined, scrapes succeed
 * without their values.
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
      const gauges = await withDeadline(read(), READ_TIMEOUT_MS).catch(() => undefined)
      for (const gauge of [this, inFlight, scheduled, oldest, deadLetters, paused]) gauge.reset()
      if (!gauges) return
      for (const provider of PROVIDER_NAMES) {
        this.set({ provider, queue }, gauges.waiting.get(provider) ?? 0)
        inFlight.set({ provider, queue }, gauges.inFlight.get(provider) ?? 0)
      }
      for (const { provider } of gauges.pauses) paused.set({ provider, queue }, 1)
      scheduled.set({ queue }, gauges.scheduled)
      oldest.set({ queue }, gauges.oldestMs / 1000)
      deadLetters.set({ queue }, gauges.deadLetters)
    },
  })
}
