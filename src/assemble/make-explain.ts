import type { EventReader } from '../analytics/analytics.ts'
import { usesClickhouse } from '../config/check.ts'
import type { ProviderName } from '../config/provider-names.ts'
import type { Config } from '../config/schema.ts'
import type { DeviceStore } from '../devices/device-store.ts'
import type { ExplainDeps } from '../explain/explain-push.ts'
import type { Queue } from '../queue/queue.ts'

interface Parts {
  queue: Queue
  devices: DeviceStore
  providers: Iterable<ProviderName>
  events: EventReader
}

/** Makes the dependencies of explainPush(). */
export function makeExplain(config: Config, { providers, ...parts }: Parts): ExplainDeps {
  const hasAllRows = usesClickhouse(config) || config.postgresql_analytics.rows === 'all'
  return { ...parts, providers: new Set(providers), hasAllRows, now: Date.now }
}
