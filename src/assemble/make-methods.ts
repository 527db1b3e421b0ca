import type { Config } from '../config/schema.ts'
import { type MethodTable, makeMethodTable } from '../methods/table.ts'
import type { AcceptDeps } from '../push/accept.ts'
import { cancelSend } from '../push/cancel.ts'
import type { buildParts } from './build-parts.ts'
import { makeExplain } from './make-explain.ts'
import type { RunningAnalytics } from './running-analytics.ts'

type Parts = Pick<Awaited<ReturnType<typeof buildParts>>, 'queue' | 'devices' | 'providers'>

interface Given {
  accept: AcceptDeps
  parts: Parts
  analytics: RunningAnalytics | undefined
}

/** Makes the methods of the API with push enabled. */
export function makeMethods(config: Config, { accept, parts, analytics }: Given): MethodTable {
  const { queue, devices, providers } = parts
  return makeMethodTable({
    accept,
    cancel: (request) => cancelSend(queue, request),
    reports: queue,
    devices,
    checkEndpoint: accept.checkEndpoint,
    analytics: analytics?.reports,
    events: analytics?.reader,
    explain:
      devices &&
      analytics &&
      makeExplain(config, { queue, devices, events: analytics.reader, providers: providers.keys() }),
  })
}
