import { type MethodTable, makeMethodTable } from '../methods/table.ts'
import type { AcceptDeps } from '../push/accept.ts'
import { cancelSend } from '../push/cancel.ts'
import { readAck, storeAck } from '../realtime/acks.ts'
import { publishOrPush } from '../realtime/publish-or-push.ts'
import { Publisher } from '../realtime/publisher.ts'
import type { NodeApi } from '../upstream/node-api.ts'
import type { buildParts } from './build-parts.ts'
import { makeExplain } from './make-explain.ts'
import type { Plan } from './plan.ts'
import type { RunningAnalytics } from './running-analytics.ts'

type Parts = Pick<Awaited<ReturnType<typeof buildParts>>, 'queue' | 'devices' | 'providers'>

interface Given {
  accept: AcceptDeps
  parts: Parts
  analytics: RunningAnalytics | undefined
  /** The API of the node; undefined without a node. */
  node: NodeApi | undefined
}

/** Makes the methods of the API with push enabled. */
export function makeMethods({ config, logger }: Plan, { accept, parts, analytics, node }: Given): MethodTable {
  const { queue, devices, providers } = parts
  const { delay: delayMs, tag, presence_max_clients: presenceMaxClients } = config.push_notifications.publish_or_push
  const publisher = node && new Publisher(node)
  const publishing = { accept, node, publisher, delayMs, tag, presenceMaxClients, logger, now: Date.now }
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
    ack: (request) => storeAck(queue, readAck(request)),
    publishOrPush: (request) => publishOrPush(publishing, request),
  })
}
