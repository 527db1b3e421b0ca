// The messages between a server and its child processes, over Node's channel between parent and child.
import * as v from 'valibot'
import { PROVIDER_NAMES } from '../config/provider-names.ts'
import type { Config } from '../config/schema.ts'
import { CREDENTIAL_STATES } from '../observability/provider-health.ts'
import { STORES } from '../observability/store-monitor.ts'
import { LANES } from '../queue/lane.ts'
import { TARGET_KINDS } from '../sends/recipient.ts'

/** A configuration that the parent has checked. The channel can transfer all values in it. */
const config = v.custom<Config>((value) => typeof value === 'object' && value !== null)

const lanes = v.pipe(v.array(v.picklist(LANES)), v.readonly())

/** A message from the server to a worker process. */
export const Order = v.variant('kind', [
  /**
   * The first order: work on the lanes of `duty`. The configuration has a `database.postgresql.dsn`, even for the
   * embedded database, and the schema is up to date.
   */
  v.object({ kind: v.literal('start'), config, duty: v.object({ lanes, fallbackLanes: lanes }) }),
  v.object({ kind: v.literal('readMetrics'), id: v.number() }),
  /** The last order: end. Batches in flight may take `graceMs` to finish. */
  v.object({ kind: v.literal('stop'), graceMs: v.number() }),
])
export type Order = v.InferOutput<typeof Order>

/** Work of a process met an outage of a store. */
const storeOutage = v.object({
  kind: v.literal('storeOutage'),
  store: v.picklist(STORES),
  outage: v.object({ cause: v.string(), mend: v.string(), isPartial: v.boolean() }),
})

/** The id of the report of metrics with which a process ends. */
export const LAST_METRICS = 0

/** The metrics of a process, in the form of prom-client's `getMetricsAsJSON`. `id` is LAST_METRICS at its end. */
const metricsReport = v.object({
  kind: v.literal('metrics'),
  id: v.number(),
  metrics: v.array(v.custom<object>((value) => typeof value === 'object')),
})

/** The process could not start. The message is for the operator; an internal error is in the process's log too. */
const failed = v.object({ kind: v.literal('failed'), message: v.string() })

/** A message from a worker process to the server. */
export const Report = v.variant('kind', [
  /** Whether the process reaches the queue. Sent after the start and at each change. */
  v.object({ kind: v.literal('ready'), isReady: v.boolean() }),
  /** At each change: the state of the providers for the process. */
  v.object({
    kind: v.literal('health'),
    health: v.object({
      down: v.pipe(v.array(v.picklist(PROVIDER_NAMES)), v.readonly()),
      credentials: v.object(v.entriesFromList(PROVIDER_NAMES, v.exactOptional(v.picklist(CREDENTIAL_STATES)))),
    }),
  }),
  failed,
  storeOutage,
  /** The process had a load in the last second. */
  v.object({ kind: v.literal('load') }),
  metricsReport,
])
export type Report = v.InferOutput<typeof Report>

/** A server of the parent of an API process, and the key that its requests need. */
const parentServer = v.object({ url: v.string(), key: v.string() })

/** A message to an API process. */
export const ApiOrder = v.variant('kind', [
  v.object({
    /** The first order: serve the ports of the configuration. It has the DSN of a migrated database and an API key. */
    kind: v.literal('start'),
    config,
    /** The API key was made by the server. */
    isKeyMade: v.boolean(),
    /** For each port of the configuration, the server of the parent that answers all requests other than the API's. */
    rest: v.array(parentServer),
    /** The server of the parent for large requests. */
    large: parentServer,
  }),
  v.object({ kind: v.literal('readMetrics'), id: v.number() }),
  /** The last order: end. Requests in flight may take `graceMs` to finish. */
  v.object({ kind: v.literal('stop'), graceMs: v.number() }),
])
export type ApiOrder = v.InferOutput<typeof ApiOrder>

/** A message from an API process. */
export const ApiReport = v.variant('kind', [
  /** The process listens for orders. Earlier orders are lost: node:cluster has a listener of its own. */
  v.object({ kind: v.literal('listening') }),
  /** All ports are open. The URLs are in their order. */
  v.object({ kind: v.literal('ready'), urls: v.array(v.string()) }),
  failed,
  storeOutage,
  metricsReport,
])
export type ApiReport = v.InferOutput<typeof ApiReport>

/** A message to the process for large requests. */
export const LargeRequestOrder = v.variant('kind', [
  /** The first order: the configuration with the DSN of a migrated database, and the API key of the parent. */
  v.object({ kind: v.literal('start'), config, key: v.string() }),
  /** The last order. No request is in flight. */
  v.object({ kind: v.literal('stop') }),
])
export type LargeRequestOrder = v.InferOutput<typeof LargeRequestOrder>

/** A message from the process for large requests. */
export const LargeRequestReport = v.variant('kind', [
  v.object({ kind: v.literal('ready'), url: v.string() }),
  failed,
  /** Counts for the metrics of the parent, because this process and its metrics end while the parent runs. */
  v.object({ kind: v.literal('scheduled'), recipientType: v.picklist(TARGET_KINDS) }),
  v.object({
    kind: v.literal('skipped'),
    provider: v.picklist(PROVIDER_NAMES),
    count: v.number(),
    reason: v.picklist(['no_notification', 'no_timezone', 'excluded']),
  }),
  storeOutage,
])
export type LargeRequestReport = v.InferOutput<typeof LargeRequestReport>
