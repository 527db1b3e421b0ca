import { type MethodTable, makeMethodTable } from '../methods/table.ts'
import type { AcceptDeps } from '../push/accept.ts'
import { cancelSend } from '../push/cancel.ts'
import type { buildParts } from './build-parts.ts'
import { makeExplain } from './make-explain.ts'
import type { RunningAnalytics } from './running-analytics.ts'

type Parts = Awaited<ReturnType<typeof buildParts>>

/** Makes the methods of the API with push enabled. */
export function makeMethods(accept: AcceptDeps, parts: Parts, analytics: RunningAnalytics | undefined): MethodTable {
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
