import { LargeRequestProcess } from '../processes/large-request-process.ts'
import { LargeRequests } from '../server/large-requests.ts'
import type { OnStop } from '../shutdown-phases.ts'
import { RouteHeaders } from '../upstream/route-headers.ts'
import { planChildProcess } from './make-worker-processes.ts'
import type { Plan } from './plan.ts'
import type { SendCounts } from './send-counts.ts'
import type { OnStoreOutage } from './watch-stores.ts'

/** Connections to each database: requests are decoded one after another. */
const MAX_CONNECTIONS = 4

/** Prepares the process for large requests, which starts with the first of them. @param dsn of the devices' database */
export function startLargeRequests(
  { config, logger }: Plan,
  dsn: string | undefined,
  counts: SendCounts,
  onStoreOutage: OnStoreOutage,
  onStop: OnStop,
): LargeRequests {
  const process = new LargeRequestProcess({
    config: planChildProcess(config, dsn, MAX_CONNECTIONS),
    onReport: (report) => {
      if (report.kind === 'scheduled') counts.onScheduled(report.recipientType)
      else if (report.kind === 'skipped') counts.onSkipped(report.provider, report.count, report.reason)
      else onStoreOutage(report.store, report.outage)
    },
  })
  const { acquire, release } = process
  const requests = new LargeRequests({
    acquire,
    release,
    maxRequestBytes: config.http_api.max_request_body_size,
    route: new RouteHeaders(config.http_server.trusted_proxies, logger),
    logger,
  })
  onStop.close('large requests', async () => {
    await requests.close()
    await process.stop()
  })
  return requests
}
