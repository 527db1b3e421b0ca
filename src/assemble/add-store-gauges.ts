import type { Registry } from 'prom-client'
import { chooseQueue } from '../config/check.ts'
import type { Config } from '../config/schema.ts'
import { addQueueGauges } from '../observability/queue-gauges.ts'
import { addStoreGauge } from '../observability/state-gauges.ts'
import type { Queue } from '../queue/queue.ts'
import type { WatchedStores } from './watch-stores.ts'

/** Adds the gauges of the stores and of the queue in one of them. A scrape asks no store that is down. */
export function addStoreGauges(registry: Registry, config: Config, queue: Queue, stores: WatchedStores): void {
  addQueueGauges(registry, chooseQueue(config), async () => (stores.isUp() ? await queue.stats() : undefined))
  addStoreGauge(registry, () => stores.monitors)
}
