import type { Config } from '../config/schema.ts'
import { type MethodTable, makeMethodTable } from '../methods/table.ts'
import { cancelSend } from '../push/cancel.ts'
import type { buildParts } from './build-parts.ts'
import { makeAccept } from './make-accept.ts'
import { makeExplain } from './make-explain.ts'
import type { RunningAnalytics } from './running-analytics.ts'
import type { SendCounts } from './send-counts.ts'

type Parts = Awaited<ReturnType<typeof buildParts>>

/** Makes the methods of the API with push enabled. */
export function makeMethods(
  config: Config,
  parts: Parts,
  analytics: RunningAnalytics | undefined,
  counts: SendCounts,
): MethodTable {
  const accept = makeAccept(config, parts, counts, analytics?.recorder)
  return makeMethodTable({
    accept,
    cancel: (request) => cancelSend(parts.queue, request),
    reports: parts.queue,
    devices: parts.devices,
    checkEndpoint: accept.checkEndpoint,
    analytics: analytics?.reports,
    events: analytics?.reader,
    explain: analytics && makeExplain(parts, analytics.reader),
  })
}
