import type { EventReader } from '../analytics/analytics.ts'
import type { ExplainDeps } from '../explain/explain-push.ts'
import type { buildParts } from './build-parts.ts'

type Parts = Pick<Awaited<ReturnType<typeof buildParts>>, 'queue' | 'devices' | 'providers'>

/** Makes the dependencies of explainPush(); undefined without a database, which has the devices. */
export function makeExplain({ queue, devices, providers }: Parts, events: EventReader): ExplainDeps | undefined {
  return devices && { queue, devices, events, providers: new Set(providers.keys()), now: Date.now }
}
