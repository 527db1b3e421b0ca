import type { Config } from '../config/schema.ts'
import { makeEndpointCheck } from '../devices/web-push-endpoint.ts'
import type { AcceptDeps } from '../push/accept.ts'
import type { buildParts } from './build-parts.ts'
import { makePageRecorder } from './record-page.ts'
import type { RunningAnalytics } from './running-analytics.ts'
import type { SendCounts } from './send-counts.ts'

type Parts = Pick<Awaited<ReturnType<typeof buildParts>>, 'queue' | 'pages' | 'devices' | 'providers'>

/** Makes the dependencies of acceptSend(). */
export function makeAccept(
  config: Config,
  { queue, pages, devices, providers }: Parts,
  counts: SendCounts,
  recorder: RunningAnalytics['recorder'],
): AcceptDeps {
  return {
    queue,
    pages,
    hasDevices: devices !== undefined,
    providers: new Set(providers.keys()),
    checkEndpoint: makeEndpointCheck(config.push_notifications.webpush),
    onScheduled: counts.onScheduled,
    onStored: makePageRecorder(counts, recorder),
  }
}
